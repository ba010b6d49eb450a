import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep } from "./keys.ts";
import { script } from "./script.ts";

export type Claim =
  | { outcome: "claimed"; claim: string }
  | { outcome: "done"; response: string }
  /** Another request with the same key is under way. */
  | { outcome: "in_progress" }
  /** The key was used for a request of other content. */
  | { outcome: "mismatch" };

export const idempotencyScripts = {
  claimRequest: script<[outcome: string, response?: string]>(`
    local fingerprint, response = unpack(redis.call('HMGET', KEYS[1], 'fingerprint', 'response'))
    if fingerprint and fingerprint ~= ARGV[1] then
      if redis.call('HINCRBY', KEYS[1], 'others', 1) <= tonumber(ARGV[4]) then return {'mismatch'} end
      redis.call('DEL', KEYS[1])
      fingerprint = nil
    end
    if not fingerprint then
      redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'claim', ARGV[2])
      redis.call('PEXPIRE', KEYS[1], ARGV[3])
      return {'claimed'}
    end
    if response then return {'done', response} end
    return {'in_progress'}
  `),
  completeRequest: script<number>(`
    if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return 0 end
    redis.call('HSET', KEYS[1], 'response', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1
  `),
  releaseRequest: script<null>(`
    local claim, response = unpack(redis.call('HMGET', KEYS[1], 'claim', 'response'))
    if claim == ARGV[1] and not response then redis.call('DEL', KEYS[1]) end
  `),
  /** Answers the keys of the oldest answers, which are too many with this one. */
  indexAnswer: script<string[]>(`
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
    if excess <= 0 then return {} end
    local oldest = redis.call('ZRANGE', KEYS[1], 0, excess - 1)
    redis.call('ZREM', KEYS[1], unpack(oldest))
    return oldest
  `),
};

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
