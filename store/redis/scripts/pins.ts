import type { Refund } from "./refunds.ts";
import { TAKE_REFUND } from "./refunds.ts";
import { IS_AMONG, script } from "./script.ts";

export const pinScripts = {
  replacePin: script<null>(`
    local former = redis.call('HGET', KEYS[1], 'hash')
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'id', ARGV[1], 'hash', ARGV[2], 'expiresAt', ARGV[3], 'tries', 0)
    if former then redis.call('HSET', KEYS[1], 'formerHash', former) end
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  `),
  // Comparing HMACs needs no constant time: without the key an attacker cannot choose a closer
  // hash.
  tryPin: script<[outcome: string, pinId?: string, triesRemaining?: number]>(`
    local id, hash, expiresAt, tries, formerHash =
      unpack(redis.call('HMGET', KEYS[1], 'id', 'hash', 'expiresAt', 'tries', 'formerHash'))
    ${IS_AMONG}
    local allowed = tonumber(ARGV[3])
    if not id or tonumber(tries) >= allowed then return {'none'} end
    if tonumber(ARGV[1]) >= tonumber(expiresAt) then return {'expired'} end
    if isAmong(hash, ARGV[2]) then return {'accepted', id} end
    -- It was right once and no longer works, so it is not a guess.
    if isAmong(formerHash, ARGV[2]) then return {'replaced'} end
    local remaining = allowed - redis.call('HINCRBY', KEYS[1], 'tries', 1)
    return {remaining > 0 and 'rejected' or 'voided', id, remaining}
  `),
  // As with passcodes, a right PIN that is not given back costs a try like a wrong one.
  giveBackPinTry: script<Refund>(`
    ${TAKE_REFUND}
    local pin, refunds = unpack(KEYS)
    local pinId, wrong = ARGV[4], ARGV[5] == '1'
    local id, tries = unpack(redis.call('HMGET', pin, 'id', 'tries'))
    if id ~= pinId or (wrong and tonumber(tries) == 0) then return 'nothing' end
    local given = takeRefund(refunds, unpack(ARGV, 1, 3))
    if given and wrong then redis.call('HINCRBY', pin, 'tries', -1) end
    if not given and not wrong then redis.call('HINCRBY', pin, 'tries', 1) end
    return given and 'given_back' or 'spent'
  `),
};
