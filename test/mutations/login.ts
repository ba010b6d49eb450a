import type { Mutation } from "./mutation.ts";

/** The rules of the two steps of a login. */
export const loginMutations: Mutation[] = [
  {
    mistake: "the seventh wrong passcode does not lock",
    file: "store/redis/scripts/attempts.ts",
    find: "return {count > allowed and 'just_locked' or 'rejected', count}",
    replace: "return {count > allowed + 1 and 'just_locked' or 'rejected', count}",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "a locked user's right passcode is looked at",
    file: "store/redis/scripts/attempts.ts",
    find: "if tonumber(redis.call('GET', failures) or 0) > allowed then return {'locked'} end\n",
    replace: "",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "a challenge that has become a session is answered again",
    file: "store/redis/scripts/attempts.ts",
    find: "if completedBy then return {'completed'} end",
    replace: "",
    noticedBy: ["test/store/redis/sessions/sessions.test.ts"],
  },
  {
    mistake: "a challenge whose time ran out is still answered",
    file: "store/redis/scripts/challenges.ts",
    find: "if now >= tonumber(expiresAt) then return 'expired' end",
    replace: "",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "an old passcode is good after its ten minutes",
    file: "store/redis/scripts/attempts.ts",
    find: "if known and now < tonumber(hashExpiresAt) then",
    replace: "if known then",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "an app's code is accepted at an older step than the last",
    file: "store/redis/scripts/otp-steps.ts",
    find: "if ahead < 0 or (ahead == 0 and by ~= holder) then",
    replace: "if ahead == 0 and by ~= holder then",
    noticedBy: [
      "test/store/redis/second-step/otp-steps.test.ts",
      "test/store/redis/second-step/attempts.test.ts",
    ],
  },
  {
    mistake: "an app's code is good twice, for two logins",
    file: "store/redis/scripts/otp-steps.ts",
    find: "if ahead < 0 or (ahead == 0 and by ~= holder) then",
    replace: "if ahead < 0 then",
    noticedBy: [
      "test/store/redis/second-step/otp-steps.test.ts",
      "test/store/redis/second-step/attempts.test.ts",
    ],
  },
  {
    mistake: "the code of a step far from now is right",
    file: "core/devices/totp.ts",
    find: "stepWithin(STEP_S, deps, device, token);",
    replace: "stepWithin(10 * STEP_S, deps, device, token);",
    noticedBy: ["test/core/devices/totp.test.ts"],
  },
  {
    mistake: "an app's next code is not accepted: no skew of the clock is allowed",
    file: "core/devices/totp.ts",
    find: "stepWithin(STEP_S, deps, device, token);",
    replace: "stepWithin(0, deps, device, token);",
    noticedBy: ["test/core/devices/totp.test.ts"],
  },
  {
    mistake: "a recovery code is good at more than one login",
    file: "store/postgres/recovery-codes.ts",
    find: "or(isNull(recoveryCodes.usedAt), eq(recoveryCodes.usedBy, challengeId)),",
    replace: "",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "another user's recovery code is good",
    file: "store/postgres/recovery-codes.ts",
    find: "eq(recoveryCodes.userId, userId),\n    eq(recoveryCodes.hash, hash),",
    replace: "eq(recoveryCodes.hash, hash),",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "a recovery code is good after its end",
    file: "store/postgres/recovery-codes.ts",
    find: "    isGood(at),\n  );",
    replace: "  );",
    noticedBy: [
      "test/store/postgres/recovery-codes.test.ts",
      "test/api/identity-v2/settings.test.ts",
    ],
  },
  {
    mistake: "a new set of recovery codes leaves the old one good",
    file: "store/postgres/recovery-codes.ts",
    find: "  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));\n",
    replace: "",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "a resend leaves the older passcode good",
    file: "store/redis/scripts/challenges.ts",
    find: "redis.call('HSET', KEYS[1], 'passcodeHash', ARGV[1], 'passcodeExpiresAt', ARGV[2])",
    replace:
      "redis.call('HSETNX', KEYS[1], 'passcodeHash', ARGV[1])\n    redis.call('HSET', KEYS[1], 'passcodeExpiresAt', ARGV[2])",
    noticedBy: [
      "test/store/redis/second-step/challenges.test.ts",
      "test/store/redis/second-step/attempts.test.ts",
    ],
  },
  {
    mistake: "a challenge that is withdrawn can still be answered",
    file: "store/redis/scripts/challenges.ts",
    find: "redis.call('HSET', KEYS[1], 'expiresAt', ARGV[1])",
    replace: "",
    noticedBy: ["test/store/redis/second-step/challenges.test.ts"],
  },
  {
    mistake: "the API's login has no throttle",
    file: "core/login/credentials.ts",
    find: "await (judged.proven ? guess.giveBack() : guess.confirm());",
    replace: "await guess.giveBack();",
    noticedBy: ["test/core/login/password-limits.test.ts"],
  },
  {
    mistake: "a locked user logs in by the right password",
    file: "core/login/start-login.ts",
    find: "  await refuseLocked(deps, profile.user, origin);\n",
    replace: "",
    noticedBy: [
      "test/core/sessions/sessions.test.ts",
      "test/core/login/challenges.test.ts",
      "test/attacks/lock-out.test.ts",
    ],
  },
  {
    mistake: "a locked user is told so after a wrong password as well: the name is given away",
    file: "core/login/credentials.ts",
    find: "  if (proven) return proven;\n",
    replace:
      '  if (proven) return proven;\n  if (user?.lockedAt) throw new Problem("account_locked");\n',
    noticedBy: ["test/core/login/enumeration.test.ts"],
  },
  {
    mistake: "an unknown user's password is not hashed: the time tells the name",
    file: "store/passwords.ts",
    find: "const matches = await whenDue(() => verify(passwordHash ?? DUMMY_HASH, normalized(password)));",
    replace:
      "const matches =\n    passwordHash !== undefined &&\n    (await whenDue(() => verify(passwordHash, normalized(password))));",
    noticedBy: ["test/store/passwords.test.ts", "test/attacks/timing.test.ts"],
  },
  {
    mistake: "an API key does without the second factor that its user has",
    file: "core/login/start-login.ts",
    find: "if ((method || required) && !bypass)",
    replace: "if (required && !bypass)",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "an API key does without the second factor that its account requires",
    file: "core/login/start-login.ts",
    find: "if ((method || required) && !bypass)",
    replace: "if (method && !bypass)",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "a set-up token is given to who has a second factor",
    file: "core/login/start-login.ts",
    find: 'if (wanted === "only")',
    replace: 'if (wanted === "only" && !method)',
    noticedBy: ["test/api/identity-v2/login.test.ts"],
  },
];
