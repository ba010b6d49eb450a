import { ownerOf } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keys } from "./keys.ts";
import { releaseOtpStep, TAKE_STEP } from "./otp-steps.ts";
import type { Epochs } from "./revocations.ts";
import { script } from "./script.ts";

/** A right answer, and whose session the challenge may become. */
export type Accepted = { outcome: "accepted"; accountId: string; epochs: Epochs } & (
  | { factor: "sms" | "recovery_code" }
  | { factor: "otp"; deviceId: string; step: number }
);

export type Attempt =
  | { outcome: "unknown" | "completed" | "expired" | "passcode_expired" }
  /** `justLocked` on the one attempt that locked. */
  | { outcome: "locked"; justLocked: boolean }
  | { outcome: "rejected"; failures: number }
  | Accepted;

export const attemptScripts = {
  // Comparing HMACs needs no constant time: without the key nobody can choose a hash to come closer.
  judgePasscode: script<[outcome: string, ...details: (string | number)[]]>(`
    ${TAKE_STEP}
    local challenge, failures, steps = KEYS[1], KEYS[2], KEYS[3]
    local challengeId, passcodeHash, recovery = ARGV[2], ARGV[3], ARGV[4]
    local now, allowed = tonumber(ARGV[1]), tonumber(ARGV[5])
    local expiresAt, completedBy, hash, hashExpiresAt, account, userEpoch, accountEpoch =
      unpack(redis.call('HMGET', challenge, 'expiresAt', 'completedBy', 'passcodeHash',
        'passcodeExpiresAt', 'accountId', 'userEpoch', 'accountEpoch'))
    if not expiresAt then return {'unknown'} end
    if completedBy then return {'completed'} end
    if now >= tonumber(expiresAt) then return {'expired'} end
    if tonumber(redis.call('GET', failures) or 0) > allowed then return {'locked', 0} end

    local function accepted(...) return {'accepted', account, userEpoch, accountEpoch, ...} end
    local known = hash and hash == passcodeHash
    if known and now < tonumber(hashExpiresAt) then return accepted('sms') end
    for i = 6, #ARGV, 2 do
      if takeStep(steps, ARGV[i], ARGV[i + 1], challengeId) then
        return accepted('otp', ARGV[i], ARGV[i + 1])
      end
    end
    if recovery == '1' then return accepted('recovery_code') end
    if known then return {'passcode_expired'} end

    local count = redis.call('INCR', failures)
    if count > allowed then return {'locked', 1} end
    return {'rejected', count}
  `),
  exhaustAttempts: script<null>(`
    local allowed = tonumber(ARGV[1])
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= allowed then
      redis.call('SET', KEYS[1], allowed + 1)
    end
  `),
  giveBackFailure: script<null>(`
    if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then redis.call('DECR', KEYS[1]) end
  `),
};

/**
 * The one judge of a login attempt, atomic over the user's challenges: a wrong passcode counts
 * towards the lock, a locked user's is not looked at, an OTP step is good once. Everything is
 * accepted until the challenge has become a session.
 */
export async function checkPasscode(
  redis: Redis,
  attempt: {
    challengeId: string;
    now: number;
    /** HMAC of what was typed, if it could be an SMS passcode. */
    passcodeHash?: string;
    /** Devices and time steps whose code was typed. */
    otpMatches?: readonly { deviceId: string; step: number }[];
    /** Whether an unused recovery code was typed. */
    recoveryMatches?: boolean;
    /** Consecutive wrong passcodes allowed; one more locks. */
    wrongAllowed: number;
  },
): Promise<Attempt> {
  const { challengeId, now, otpMatches = [], wrongAllowed } = attempt;
  const userId = ownerOf(challengeId);
  if (!userId) {
    return { outcome: "unknown" };
  }
  const [outcome, ...details] = await redis.judgePasscode(
    [keys.challenge(userId, challengeId), keys.failures(userId), keys.otpSteps(userId)],
    [
      now,
      challengeId,
      attempt.passcodeHash ?? "",
      attempt.recoveryMatches ? 1 : 0,
      wrongAllowed,
      ...otpMatches.flatMap(({ deviceId, step }) => [deviceId, step]),
    ],
  );
  switch (outcome) {
    case "accepted":
      return accepted(details);
    case "locked":
      return { outcome, justLocked: details[0] === 1 };
    case "rejected":
      return { outcome, failures: Number(details[0]) };
    default:
      return { outcome: outcome as "unknown" | "completed" | "expired" | "passcode_expired" };
  }
}

function accepted([account, userEpoch, accountEpoch, factor, deviceId, step]: unknown[]): Accepted {
  const epochs = { user: Number(userEpoch), account: Number(accountEpoch) };
  const rest = { outcome: "accepted", accountId: String(account), epochs } as const;
  return factor === "otp"
    ? { ...rest, factor, deviceId: String(deviceId), step: Number(step) }
    : { ...rest, factor: factor as "sms" | "recovery_code" };
}

/** Takes back what an attempt spent that the challenge never heard of: an outage costs no attempt. */
export async function refundAttempt(
  redis: Redis,
  { challengeId, attempt }: { challengeId: string; attempt: Attempt },
): Promise<void> {
  const userId = ownerOf(challengeId);
  if (!userId) {
    return;
  }
  if (attempt.outcome === "rejected" || (attempt.outcome === "locked" && attempt.justLocked)) {
    await redis.giveBackFailure([keys.failures(userId)], []);
  }
  if (attempt.outcome === "accepted" && attempt.factor === "otp") {
    const { deviceId, step } = attempt;
    await releaseOtpStep(redis, { userId, deviceId, step, holder: challengeId });
  }
}

/** Consecutive wrong passcodes of the user. */
export async function failures(redis: Redis, userId: string): Promise<number> {
  return Number((await redis.get(keys.failures(userId))) ?? 0);
}

/** Leaves the user no attempt: what is locked in the system of record is locked for every challenge. */
export async function exhaustAttempts(
  redis: Redis,
  userId: string,
  wrongAllowed: number,
): Promise<void> {
  await redis.exhaustAttempts([keys.failures(userId)], [wrongAllowed]);
}

/** Starts the count of wrong passcodes again, as unlocking does. */
export async function clearFailures(redis: Redis, userId: string): Promise<void> {
  await redis.del(keys.failures(userId));
}

/** Forgets a removed device's PIN and used steps. */
export async function forgetDevice(redis: Redis, userId: string, deviceId: string): Promise<void> {
  await Promise.all([
    redis.hDel(keys.otpSteps(userId), deviceId),
    redis.del(keys.pin(userId, deviceId)),
  ]);
}
