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
    if not fingerprint then
      redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'claim', ARGV[2])
      redis.call('PEXPIRE', KEYS[1], ARGV[3])
      return {'claimed'}
    end
    if fingerprint ~= ARGV[1] then return {'mismatch'} end
    if response then return {'done', response} end
    return {'in_progress'}
  `),
  completeRequest: script<null>(`
    if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return end
    redis.call('HSET', KEYS[1], 'response', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  `),
  releaseRequest: script<null>(`
    local claim, response = unpack(redis.call('HMGET', KEYS[1], 'claim', 'response'))
    if claim == ARGV[1] and not response then redis.call('DEL', KEYS[1]) end
  `),
};

/** Lets one of several requests with the same key (of `keys.idempotency`) and fingerprint go on. */
export async function claim(redis: Redis, key: string, fingerprint: string): Promise<Claim> {
  const id = newId();
  const [outcome, response = ""] = await redis.claimRequest(
    [key],
    [fingerprint, id, keep.idempotencyClaim],
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

/** Keeps the answer (sealed, as it may hold a token) for a day of repeated requests. */
export async function complete(
  redis: Redis,
  key: string,
  claim: string,
  response: string,
): Promise<void> {
  await redis.completeRequest([key], [claim, response, keep.idempotencyAnswer]);
}

/** Gives the claim up after a failure, so that the request may be sent again. */
export async function release(redis: Redis, key: string, claim: string): Promise<void> {
  await redis.releaseRequest([key], [claim]);
}
