import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";
import { type ChallengedLogin, challengedLogin } from "./attempts.ts";

/** Why a challenge gives out or takes no nonce. `none`: there is none, or another request took it. */
type Refused = "unknown" | "completed" | "expired" | "just_spent" | "spent" | "locked" | "none";

type Bounds = {
  userId: string;
  challengeId: string;
  now: number;
  /** As for `checkPasscode`. */
  wrongAllowed: number;
  requestsAllowed: number;
};

/** Stores the nonce that the user's key is to sign for this challenge, in place of an older one. */
export async function offerNonce(
  redis: Redis,
  { userId, challengeId, now, wrongAllowed, requestsAllowed, nonce }: Bounds & { nonce: string },
): Promise<"offered" | Refused> {
  const [outcome] = await redis.offerNonce(
    [keys.challenge(userId, challengeId), keys.failures(userId)],
    [now, wrongAllowed, requestsAllowed, nonce],
  );
  return outcome as "offered" | Refused;
}

/**
 * Takes the challenge's nonce, so that an assertion is judged only once. More assertions than
 * `assertionsAllowed` end the challenge.
 */
export async function takeNonce(
  redis: Redis,
  { assertionsAllowed, ...at }: Bounds & { assertionsAllowed: number },
): Promise<{ outcome: Refused } | ({ outcome: "taken"; nonce: string } & ChallengedLogin)> {
  const { userId, challengeId, now, wrongAllowed, requestsAllowed } = at;
  const [outcome, nonce, login] = await redis.takeNonce(
    [keys.challenge(userId, challengeId), keys.failures(userId)],
    [now, wrongAllowed, requestsAllowed, assertionsAllowed],
  );
  if (outcome !== "taken") return { outcome: outcome as Refused };
  return { outcome, nonce: String(nonce), ...challengedLogin(String(login)) };
}

/** Stores the nonce that a new key is to sign, for `forMs`, in place of an older one. */
export async function storeSetUpNonce(
  redis: Redis,
  { userId, deviceId }: { userId: string; deviceId: string },
  nonce: string,
  forMs: number,
): Promise<void> {
  const expiration = { type: "PX", value: forMs } as const;
  await redis.set(keys.setUpNonce(userId, deviceId), nonce, { expiration });
}

/** That nonce, if no answer to it was taken yet. */
export async function readSetUpNonce(
  redis: Redis,
  { userId, deviceId }: { userId: string; deviceId: string },
): Promise<string | undefined> {
  return (await redis.get(keys.setUpNonce(userId, deviceId))) ?? undefined;
}

/** Takes that nonce: only one request gets it. */
export async function takeSetUpNonce(
  redis: Redis,
  { userId, deviceId }: { userId: string; deviceId: string },
): Promise<string | undefined> {
  return (await redis.getDel(keys.setUpNonce(userId, deviceId))) ?? undefined;
}

/** Notes for `forMs` that the nonce of a passkey login was used; false if it was used before. */
export async function usePasskeyNonce(
  redis: Redis,
  nonce: string,
  forMs: number,
): Promise<boolean> {
  const expiration = { type: "PX", value: forMs } as const;
  const key = keys.passkeyNonce(nonce);
  return (await redis.set(key, "1", { condition: "NX", expiration })) !== null;
}
