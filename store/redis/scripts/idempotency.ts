import { script } from "./script.ts";

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
  /** Adds an answer's key, and returns the keys of the oldest answers, which are now too many. */
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
