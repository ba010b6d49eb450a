import { script } from "./script.ts";

export const revocationScripts = {
  revoke: script<null>(`
    local reason, now, fact, epoch = unpack(ARGV)
    if redis.call('HGET', KEYS[1], 'fact') == fact then return end
    redis.call('HSET', KEYS[1], 'reason', reason, 'at', now, 'fact', fact)
    redis.call('HINCRBY', KEYS[1], epoch, 1)
  `),
  // A version that arrives late does not undo a newer one.
  scheduleEnforcement: script<null>(`
    local version, enforceAfter, enforces = tonumber(ARGV[1]), ARGV[2], ARGV[3]
    if tonumber(redis.call('HGET', KEYS[1], 'policyVersion') or 0) > version then return end
    redis.call('HSET', KEYS[1], 'policyVersion', version)
    if enforceAfter == '' then
      redis.call('HDEL', KEYS[1], 'enforceAfter', 'enforces')
    else
      redis.call('HSET', KEYS[1], 'enforceAfter', enforceAfter, 'enforces', enforces)
    end
  `),
};
