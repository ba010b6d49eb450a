import { script } from "./script.ts";

export const knownAddressScripts = {
  rememberAddress: script<null>(`
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    redis.call('DEL', KEYS[2])
  `),
  forgetAddresses: script<null>(`
    local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
    redis.call('DEL', KEYS[1])
    if not at then return end
    redis.call('ZADD', KEYS[1], at, ARGV[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  `),
};
