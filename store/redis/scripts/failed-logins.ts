import { script } from "./script.ts";

export const failedLoginScripts = {
  noteFailedLogin: script<null>(`
    redis.call('HSETNX', KEYS[1], 'since', ARGV[1])
    redis.call('HINCRBY', KEYS[1], 'count', 1)
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  `),
};

/** Reads and deletes the count of failed logins, inside a script that opens a session. */
export const TAKE_FAILED_LOGINS = `
  local function takeFailedLogins(key)
    local count, since = unpack(redis.call('HMGET', key, 'count', 'since'))
    redis.call('DEL', key)
    return tonumber(count or 0), since or ''
  end
`;
