import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
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
  const outcome = await redis.offerNonce(
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

/** Gives a nonce back that `takeNonce` took, unless the challenge has ended or has a newer one. */
export async function returnNonce(
  redis: Redis,
  { userId, challengeId }: Pick<Bounds, "userId" | "challengeId">,
  nonce: string,
): Promise<void> {
  await redis.returnNonce([keys.challenge(userId, challengeId)], [nonce]);
}

type DeviceRef = { userId: string; deviceId: string };

/** Stores the nonce that a new key is to sign until `expiresAt` (ms), in place of an older one. */
export async function storeSetUpNonce(
  redis: Redis,
  { userId, deviceId }: DeviceRef,
  { nonce, expiresAt }: { nonce: string; expiresAt: number },
): Promise<void> {
  const expiration = { type: "PX", value: keep.nonce } as const;
  await redis.set(keys.setUpNonce(userId, deviceId), `${expiresAt} ${nonce}`, { expiration });
}

/** Gives the nonce of a key's set-up back, unless there is a newer one. */
export async function returnSetUpNonce(
  redis: Redis,
  { userId, deviceId }: DeviceRef,
  { nonce, expiresAt }: { nonce: string; expiresAt: number },
): Promise<void> {
  const expiration = { type: "PX", value: keep.nonce } as const;
  const key = keys.setUpNonce(userId, deviceId);
  await redis.set(key, `${expiresAt} ${nonce}`, { condition: "NX", expiration });
}

/** The nonce of a key's set-up; undefined if an answer to it was taken, or it has expired at `now`. */
export async function readSetUpNonce(
  redis: Redis,
  { userId, deviceId }: DeviceRef,
  now: number,
): Promise<string | undefined> {
  return validAt(now, await redis.get(keys.setUpNonce(userId, deviceId)));
}

/** Takes the nonce of a key's set-up, so that only one request gets it; undefined if it has expired. */
export async function takeSetUpNonce(
  redis: Redis,
  { userId, deviceId }: DeviceRef,
  now: number,
): Promise<string | undefined> {
  return validAt(now, await redis.getDel(keys.setUpNonce(userId, deviceId)));
}

function validAt(now: number, stored: string | null): string | undefined {
  const [expiresAt, nonce] = (stored ?? "").split(" ");
  return now < Number(expiresAt) ? nonce : undefined;
}

/** Notes for `keepMs` that the nonce of a passkey login was used; false if it was used before. */
export async function usePasskeyNonce(
  redis: Redis,
  nonce: string,
  keepMs: number,
): Promise<boolean> {
  const expiration = { type: "PX", value: keepMs } as const;
  const key = keys.passkeyNonce(nonce);
  return (await redis.set(key, "1", { condition: "NX", expiration })) !== null;
}

/** Forgets that a passkey login's nonce was used: an outage kept its answer from being judged. */
export async function forgetPasskeyNonce(redis: Redis, nonce: string): Promise<void> {
  await redis.del(keys.passkeyNonce(nonce));
}
