import { script } from "./script.ts";

/** The wrong passcodes that clients may be shown: all except the pending ones. */
const CONFIRMED = `
  local function confirmed(failures, pending, now)
    local onTheirWay = redis.call('ZCOUNT', pending, '(' .. now, '+inf')
    return math.max(0, tonumber(redis.call('GET', failures) or 0) - onTheirWay)
  end
`;

export const failureScripts = {
  confirmFailure: script<number>(`
    ${CONFIRMED}
    redis.call('ZREM', KEYS[2], ARGV[2])
    return confirmed(KEYS[1], KEYS[2], ARGV[1])
  `),
  confirmedFailures: script<number>(`
    ${CONFIRMED}
    return confirmed(KEYS[1], KEYS[2], ARGV[1])
  `),
  exhaustAttempts: script<null>(`
    local allowed = tonumber(ARGV[1])
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= allowed then
      redis.call('SET', KEYS[1], allowed + 1)
    end
    -- No pending attempt can be given back after this.
    redis.call('DEL', KEYS[2])
  `),
};
