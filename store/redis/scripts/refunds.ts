import { DAY_MS } from "../../../units.ts";
import { keep } from "../keys.ts";

/**
 * What became of an attempt that an outage kept from its flow: given back, spent because the user's
 * refunds of the day are used up, or nothing to give back.
 */
export type Refund = "given_back" | "spent" | "nothing";

/** Takes one of the day's refunds, for any kind of attempt; false if none is left. */
export const TAKE_REFUND = `
  local function takeRefund(refunds, now, allowed, token)
    local day = ${DAY_MS}
    local dayAgo = string.format('%.0f', tonumber(now) - day)
    redis.call('ZREMRANGEBYSCORE', refunds, '-inf', dayAgo)
    if redis.call('ZCARD', refunds) >= tonumber(allowed) then return false end
    redis.call('ZADD', refunds, now, token)
    redis.call('PEXPIRE', refunds, day + ${keep.budgetMargin})
    return true
  end
`;
