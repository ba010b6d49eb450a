import type { Mutation } from "./mutation.ts";

const ATTACKS = ["test/attacks/keys.test.ts"];

/** Mistakes about security keys and passkeys. */
export const keys: Mutation[] = [
  {
    mistake: "a frame that does not say where it stands may ask for a key",
    file: "core/webauthn/client-data.ts",
    find: "if (topOrigin === undefined || !origins.includes(topOrigin))",
    replace: "if (topOrigin !== undefined && !origins.includes(topOrigin))",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a passkey logs in without being unlocked",
    file: "core/webauthn/assertion.ts",
    find: "requireUserVerification: alone,",
    replace: "requireUserVerification: false,",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a key may name another user",
    file: "core/webauthn/assertion.ts",
    find: "if (names === undefined ? alone : names !== userHandleOf(device.userId))",
    replace: "if (names === undefined && alone)",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a key may change whether it can be backed up",
    file: "core/webauthn/assertion.ts",
    find: 'if ((credentialDeviceType === "multiDevice") !== credential.backupEligible)',
    replace: "if (credentialDeviceType === undefined)",
    noticedBy: ATTACKS,
  },
  {
    mistake: "another user's key answers a challenge",
    file: "core/login/keys.ts",
    find: "if (key?.device.userId !== bounds.userId) throw credentialRejected();",
    replace: "if (!key) throw credentialRejected();",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a counter that goes back is accepted",
    file: "store/postgres/webauthn-credentials.ts",
    find: "} = 0`),",
    replace: "} = 0 or true`),",
    noticedBy: ATTACKS,
  },
  {
    mistake: "the nonce of a challenge can be answered again",
    file: "store/redis/scripts/attempts.ts",
    find: "redis.call('HDEL', challenge, 'nonce')\n    if",
    replace: "if",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a challenge judges any number of answers of keys",
    file: "store/redis/scripts/attempts.ts",
    find: "return {spendChallenge(challenge, now)}",
    replace: "local _ = now",
    noticedBy: ATTACKS,
  },
  {
    mistake: "an answer to a login by passkey is judged again",
    file: "core/login/passkey.ts",
    find: "if (!(await usePasskeyNonce(deps.redis, request.nonce))) throw optionsUsed();",
    replace: "await usePasskeyNonce(deps.redis, request.nonce);",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a login by passkey may begin with a made-up deadline",
    file: "core/login/passkey-requests.ts",
    find: 'hashesOf(CODE_KEY, "passkey", nonce, expiresAt)',
    replace: 'hashesOf(CODE_KEY, "passkey", nonce, rest.join())',
    noticedBy: ATTACKS,
  },
  {
    mistake: "a locked user logs in by passkey",
    file: "core/login/passkey.ts",
    find: "  await refuseLocked(deps, profile.user, origin);\n",
    replace: "",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a login by passkey stays possible where the account turned it off",
    file: "core/login/passkey.ts",
    find: "if (!profile.account.passkeyLogin)",
    replace: "if (!profile.account)",
    noticedBy: ["test/e2e/phishing-resistant.test.ts"],
  },
  {
    mistake: "two users may register one credential",
    file: "store/postgres/webauthn-credentials.ts",
    find: "if (taken) return false;",
    replace: "if (taken) return true;",
    noticedBy: ATTACKS,
  },
  {
    mistake: "a replaced credential is verified by the proof of another",
    file: "store/postgres/devices.ts",
    find: "(await currentMark(tx, device)) !== sealedAs",
    replace: "(await currentMark(tx, device)) === undefined",
    noticedBy: ["test/workflows/webauthn-enrollment.test.ts"],
  },
  {
    mistake: "the options of a registration can be answered again",
    file: "store/redis/second-step/nonces.ts",
    find: "await redis.getDel(keys.setUpNonce(userId, deviceId))",
    replace: "await redis.get(keys.setUpNonce(userId, deviceId))",
    noticedBy: ATTACKS,
  },
];
