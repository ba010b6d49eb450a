import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";

export type Claim =
  | { outcome: "claimed"; claim: string }
  | { outcome: "done"; response: string }
  /** Another request with the same key is under way. */
  | { outcome: "in_progress" }
  /** The key was used for a request with other content. */
  | { outcome: "mismatch" };

/**
 * Lets only one of several requests with the same key (of `keys.idempotency`) and fingerprint
 * proceed. The first `otherTexts` requests with other content are answered "mismatch"; one more
 * takes over the key.
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
 * Stores the answer for a day of repeated requests, sealed, because it may hold a token. Of the
 * answers in the index at most `most` are kept. The oldest are deleted, since clients repeat a
 * request soon or never.
 */
export async function complete(
  redis: Redis,
  key: string,
  claim: string,
  { response, index, most, now }: { response: string; index: string; most: number; now: number },
): Promise<void> {
  // Indexed before the answer is stored: a crash in between leaves no answer outside the index.
  const tooMany = await redis.indexAnswer([index], [now, key, most, keep.idempotencyAnswer]);
  await Promise.all([
    redis.completeRequest([key], [claim, response, keep.idempotencyAnswer]),
    ...tooMany.map((oldest) => redis.del(oldest)),
  ]);
}

/** Releases the claim after a failure, so that the request may be sent again. */
export async function release(redis: Redis, key: string, claim: string): Promise<void> {
  await redis.releaseRequest([key], [claim]);
}
