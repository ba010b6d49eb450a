import { script } from "./script.ts";

export const revocationScripts = {
  revoke: script<null>(`
    if redis.call('HGET', KEYS[1], 'fact') == ARGV[3] then return end
    redis.call('HSET', KEYS[1], 'reason', ARGV[1], 'at', ARGV[2], 'fact', ARGV[3])
    redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  `),
  // A version that arrives late does not undo a newer one.
  scheduleEnforcement: script<null>(`
    local version, enforceAfter = tonumber(ARGV[1]), ARGV[2]
    if tonumber(redis.call('HGET', KEYS[1], 'policyVersion') or 0) > version then return end
    redis.call('HSET', KEYS[1], 'policyVersion', version)
    if enforceAfter == '' then
      redis.call('HDEL', KEYS[1], 'enforceAfter')
    else
      redis.call('HSET', KEYS[1], 'enforceAfter', enforceAfter)
    end
  `),
};
