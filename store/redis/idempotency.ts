import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";

export type Claim =
  | { outcome: "claimed"; claim: string }
  | { outcome: "done"; response: string }
  /** Another request with the same key is under way. */
  | { outcome: "in_progress" }
  /** The key was used for a request of other content. */
  | { outcome: "mismatch" };

/**
 * Lets one of several requests with the same key (of `keys.idempotency`) and fingerprint go on. So
 * many requests of other content are told apart from it; one more takes its place.
 */
export async function claim(
  redis: Redis,
  key: string,
  fingerprint: string,
  { otherTexts }: { otherTexts: number },
): Promise<Claim> {
  const id = newId();
  const [outcome, response = ""] = await redis.claimRequest(
    [key],
    [fingerprint, id, keep.idempotencyClaim, otherTexts],
  );
  switch (outcome) {
    case "claimed":
      return { outcome, claim: id };
    case "done":
      return { outcome, response };
    default:
      return { outcome: outcome as "in_progress" | "mismatch" };
  }
}

/**
 * Keeps the answer (sealed, as it may hold a token) for a day of repeated requests. Of the answers in
 * the index at most so many are kept: the oldest go, since a request is repeated soon or never.
 */
export async function complete(
  redis: Redis,
  key: string,
  claim: string,
  { response, index, most, now }: { response: string; index: string; most: number; now: number },
): Promise<void> {
  // Before the answer: a crash in between leaves nothing that no index knows.
  const tooMany = await redis.indexAnswer([index], [now, key, most, keep.idempotencyAnswer]);
  await Promise.all([
    redis.completeRequest([key], [claim, response, keep.idempotencyAnswer]),
    ...tooMany.map((oldest) => redis.del(oldest)),
  ]);
}

/** Gives the claim up after a failure, so that the request may be sent again. */
export async function release(redis: Redis, key: string, claim: string): Promise<void> {
  await redis.releaseRequest([key], [claim]);
}
