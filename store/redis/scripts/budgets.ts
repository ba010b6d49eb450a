import { script } from "./script.ts";

/** Marks a token as under way: whether it stays spent is not known yet. */
export const UNDER_WAY = "under-way:";

export const budgetScripts = {
  /**
   * A log of spendings by time. It is exact in every window; counters would allow twice the limit
   * at a window's edge.
   */
  spendBudget: script<[retryAfterMs: number, underWay: 0 | 1]>(`
    local key, now, token, confirmedWithin = KEYS[1], tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[4])
    local longest, wait, spent = 0, 0, false
    local function underWay()
      local count = 0
      local young = redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', now - confirmedWithin), '+inf')
      for _, member in ipairs(young) do
        if string.find(member, '${UNDER_WAY}', 1, true) == 1 then count = count + 1 end
      end
      return count
    end
    for i = 5, #ARGV, 2 do
      local limit, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
      longest = math.max(longest, window)
      local after = '(' .. string.format('%.0f', now - window)
      local excess = redis.call('ZCOUNT', key, after, '+inf') - limit
      if excess >= 0 then
        local oldest = redis.call('ZRANGEBYSCORE', key, after, '+inf', 'WITHSCORES', 'LIMIT', excess, 1)
        -- A limit of 0 has nothing to wait for, so the whole window is answered.
        local freed = oldest[2] and tonumber(oldest[2]) or now
        wait = math.max(wait, freed + window - now)
        spent = spent or underWay() <= excess
      end
    end
    if wait > 0 then return {wait, spent and 0 or 1} end
    -- ZADD comes first, because a full Redis refuses a script only before its first write.
    redis.call('ZADD', key, ARGV[1], token)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - longest))
    redis.call('PEXPIRE', key, longest + tonumber(ARGV[3]))
    return {0, 0}
  `),
  countBudgets: script<number[]>(`
    local counts = {}
    for i, key in ipairs(KEYS) do counts[i] = redis.call('ZCOUNT', key, ARGV[1], '+inf') end
    return counts
  `),
  confirmSpending: script<null>(`
    local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
    if not at then return end
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('ZADD', KEYS[1], at, ARGV[2])
  `),
};
