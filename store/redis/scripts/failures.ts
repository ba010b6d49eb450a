import { script } from "./script.ts";

/** The wrong passcodes that clients may be shown: all but those on their way. */
const SETTLED = `
  local function settled(failures, pending, now)
    local onTheirWay = redis.call('ZCOUNT', pending, '(' .. now, '+inf')
    return math.max(0, tonumber(redis.call('GET', failures) or 0) - onTheirWay)
  end
`;

export const failureScripts = {
  settleFailure: script<number>(`
    ${SETTLED}
    redis.call('ZREM', KEYS[2], ARGV[2])
    return settled(KEYS[1], KEYS[2], ARGV[1])
  `),
  settledFailures: script<number>(`
    ${SETTLED}
    return settled(KEYS[1], KEYS[2], ARGV[1])
  `),
  exhaustAttempts: script<null>(`
    local allowed = tonumber(ARGV[1])
    if tonumber(redis.call('GET', KEYS[1]) or 0) <= allowed then
      redis.call('SET', KEYS[1], allowed + 1)
    end
    -- No attempt that is on its way can be given back any more.
    redis.call('DEL', KEYS[2])
  `),
};
