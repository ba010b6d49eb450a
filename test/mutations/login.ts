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
    mistake: "a locked user's right passcode is accepted",
    file: "store/redis/scripts/challenges.ts",
    find: "if tonumber(redis.call('GET', failures) or 0) > allowed then return 'locked' end\n",
    replace: "",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "a challenge that has opened a session accepts another passcode",
    file: "store/redis/scripts/challenges.ts",
    find: "if completedBy then return 'completed' end\n    local request =",
    replace: "local request =",
    noticedBy: ["test/store/redis/sessions/sessions.test.ts"],
  },
  {
    mistake: "an expired challenge still accepts a passcode",
    file: "store/redis/scripts/challenges.ts",
    find: "if now >= tonumber(expiresAt) then return 'expired' end",
    replace: "",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "a passcode works after its ten minutes",
    file: "store/redis/scripts/attempts.ts",
    find: "if known and now < tonumber(hashExpiresAt) then",
    replace: "if known then",
    noticedBy: ["test/store/redis/second-step/attempts.test.ts"],
  },
  {
    mistake: "an app's code of an earlier step than the last used one is accepted",
    file: "store/redis/scripts/otp-steps.ts",
    find: "if ahead < 0 or (ahead == 0 and by ~= holder) then",
    replace: "if ahead == 0 and by ~= holder then",
    noticedBy: [
      "test/store/redis/second-step/otp-steps.test.ts",
      "test/store/redis/second-step/attempts.test.ts",
    ],
  },
  {
    mistake: "an app's code works for two logins",
    file: "store/redis/scripts/otp-steps.ts",
    find: "if ahead < 0 or (ahead == 0 and by ~= holder) then",
    replace: "if ahead < 0 then",
    noticedBy: [
      "test/store/redis/second-step/otp-steps.test.ts",
      "test/store/redis/second-step/attempts.test.ts",
    ],
  },
  {
    mistake: "an app's code from a time far from now is accepted",
    file: "core/devices/totp.ts",
    find: "stepWithin(STEP_S, deps, device, token);",
    replace: "stepWithin(10 * STEP_S, deps, device, token);",
    noticedBy: ["test/core/devices/totp.test.ts"],
  },
  {
    mistake: "a code of an app whose clock is one step off is refused",
    file: "core/devices/totp.ts",
    find: "stepWithin(STEP_S, deps, device, token);",
    replace: "stepWithin(0, deps, device, token);",
    noticedBy: ["test/core/devices/totp.test.ts"],
  },
  {
    mistake: "a recovery code works for more than one login",
    file: "store/postgres/recovery-codes.ts",
    find: "or(isNull(recoveryCodes.usedAt), eq(recoveryCodes.usedBy, challengeId)),",
    replace: "",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "another user's recovery code works",
    file: "store/postgres/recovery-codes.ts",
    find: "eq(recoveryCodes.userId, userId),\n    inArray(recoveryCodes.hash, hashes),",
    replace: "inArray(recoveryCodes.hash, hashes),",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "a recovery code works after it has expired",
    file: "store/postgres/recovery-codes.ts",
    find: "    isGood(at),\n  );",
    replace: "  );",
    noticedBy: [
      "test/store/postgres/recovery-codes.test.ts",
      "test/api/identity-v2/settings.test.ts",
    ],
  },
  {
    mistake: "the old recovery codes work after new ones were made",
    file: "store/postgres/recovery-codes.ts",
    find: "  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));\n",
    replace: "",
    noticedBy: ["test/store/postgres/recovery-codes.test.ts"],
  },
  {
    mistake: "the older passcode works after a resend",
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
    find: "redis.call('HSET', KEYS[1], 'expiresAt', ARGV[1], 'withdrawn', '1')",
    replace: "",
    noticedBy: ["test/store/redis/second-step/challenges.test.ts"],
  },
  {
    mistake: "password guesses through the API are not throttled",
    file: "core/login/credentials.ts",
    find: "await (judged.proven ? guess.giveBack() : guess.confirm());",
    replace: "await guess.giveBack();",
    noticedBy: ["test/core/login/password-limits.test.ts"],
  },
  {
    mistake: "a locked user can log in with the right password",
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
    mistake:
      "a wrong password for a locked user answers that the user is locked, which reveals the name",
    file: "core/login/credentials.ts",
    find: "  if (proven) return proven;\n",
    replace:
      '  if (proven) return proven;\n  if (user?.lockedAt) throw new Problem("account_locked");\n',
    noticedBy: ["test/core/login/enumeration.test.ts"],
  },
  {
    mistake: "the password of an unknown user is not hashed, so the time reveals which names exist",
    file: "store/passwords.ts",
    find: "const matches = await whenDue(() => verify(passwordHash ?? DUMMY_HASH, normalized(password)));",
    replace:
      "const matches =\n    passwordHash !== undefined &&\n    (await whenDue(() => verify(passwordHash, normalized(password))));",
    noticedBy: ["test/store/passwords.test.ts", "test/attacks/timing.test.ts"],
  },
  {
    mistake: "an API key logs in without the second factor that its user has",
    file: "core/login/start-login.ts",
    find: "if ((method || required) && !bypass)",
    replace: "if (required && !bypass)",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "an API key logs in without the second factor that its account requires",
    file: "core/login/start-login.ts",
    find: "if ((method || required) && !bypass)",
    replace: "if (method && !bypass)",
    noticedBy: ["test/api/identity-v2/tokens.test.ts"],
  },
  {
    mistake: "a user with a second factor gets a set-up token",
    file: "core/login/start-login.ts",
    find: 'if (wanted === "only")',
    replace: 'if (wanted === "only" && !method)',
    noticedBy: ["test/api/identity-v2/login.test.ts"],
  },
];
