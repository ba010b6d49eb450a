import { LOGIN_OF, STANDING } from "./challenges.ts";
import { RELEASE_STEP, TAKE_STEP } from "./otp-steps.ts";
import type { Refund } from "./refunds.ts";
import { TAKE_REFUND } from "./refunds.ts";
import { IS_AMONG, script } from "./script.ts";

export const attemptScripts = {
  // Comparing HMACs needs no constant time: without the key an attacker cannot choose a closer
  // hash.
  judgePasscode: script<[outcome: string, ...details: (string | number)[]]>(`
    ${TAKE_STEP}
    ${STANDING}
    ${LOGIN_OF}
    local challenge, failures, steps, pending = unpack(KEYS)
    local challengeId, passcodeHashes, recovery, pendingId = ARGV[2], ARGV[3], ARGV[4], ARGV[7]
    local now, allowed = tonumber(ARGV[1]), tonumber(ARGV[5])
    local refused = standing(challenge, failures, now, allowed, tonumber(ARGV[6]))
    if refused then return {refused} end
    local hash, hashExpiresAt, formerHash, keyFrom, hasKey = unpack(redis.call('HMGET', challenge,
      'passcodeHash', 'passcodeExpiresAt', 'formerHash', 'keyFrom', 'hasKey'))
    local needsKey = keyFrom and now >= tonumber(keyFrom)
    if needsKey and hasKey then return {'key_required'} end

    local function accepted(factor, ...)
      return {'accepted', factor, needsKey and 'setup' or 'full', loginOf(challenge), ...}
    end
    ${IS_AMONG}
    local known = isAmong(hash, passcodeHashes)
    if known and now < tonumber(hashExpiresAt) then return accepted('sms') end
    for i = 10, #ARGV, 2 do
      if takeStep(steps, ARGV[i], ARGV[i + 1], challengeId) then
        return accepted('otp', ARGV[i], ARGV[i + 1])
      end
    end
    if recovery == 'good' then return accepted('recovery_code') end
    if known then return {'passcode_expired'} end
    -- It was right once and no longer works, so it is not a guess.
    if #ARGV >= 10 or recovery == 'used' then return {'used'} end
    if isAmong(formerHash, passcodeHashes) then return {'replaced'} end

    local count = redis.call('INCR', failures)
    redis.call('ZADD', pending, ARGV[8], pendingId)
    redis.call('PEXPIRE', pending, ARGV[9])
    return {count > allowed and 'just_locked' or 'rejected', count}
  `),
  // Stores the nonce that the user's key is to sign. Asking costs a request, and no attempt.
  offerNonce: script<string>(`
    ${STANDING}
    local now, allowed, requests, nonce = unpack(ARGV)
    local refused =
      standing(KEYS[1], KEYS[2], tonumber(now), tonumber(allowed), tonumber(requests))
    if refused then return refused end
    redis.call('HSET', KEYS[1], 'nonce', nonce)
    return 'offered'
  `),
  // The nonce is gone before the signature is looked at, so an assertion is judged only once.
  takeNonce: script<[outcome: string, nonce?: string, login?: string]>(`
    ${STANDING}
    ${LOGIN_OF}
    local challenge, failures = unpack(KEYS)
    local now, allowed, requests, assertions = unpack(ARGV)
    local refused =
      standing(challenge, failures, tonumber(now), tonumber(allowed), tonumber(requests))
    if refused then return {refused} end
    local nonce = redis.call('HGET', challenge, 'nonce')
    if not nonce then return {'none'} end
    redis.call('HDEL', challenge, 'nonce')
    if redis.call('HINCRBY', challenge, 'assertions', 1) > tonumber(assertions) then
      return {spendChallenge(challenge, now)}
    end
    return {'taken', nonce, loginOf(challenge)}
  `),
  // An outage kept its answer from the flow, so the same answer may be judged again.
  returnNonce: script<null>(`
    local challenge, nonce = KEYS[1], ARGV[1]
    if redis.call('EXISTS', challenge) == 0 then return end
    if redis.call('HEXISTS', challenge, 'completedBy') == 1 then return end
    if redis.call('HEXISTS', challenge, 'spent') == 1 then return end
    redis.call('HSETNX', challenge, 'nonce', nonce)
  `),
  // A right attempt that is not given back costs as much as a wrong one, so nobody can tell them
  // apart.
  giveBackAttempt: script<Refund>(`
    ${RELEASE_STEP}
    ${TAKE_REFUND}
    local failures, pending, refunds, steps = unpack(KEYS)
    local pendingId, device, step, holder = unpack(ARGV, 4)
    if device ~= '' then releaseStep(steps, device, step, holder) end
    local wrong = pendingId ~= ''
    if wrong and redis.call('ZREM', pending, pendingId) == 0 then return 'nothing' end
    local given = takeRefund(refunds, unpack(ARGV, 1, 3))
    if given and wrong then redis.call('DECR', failures) end
    if not given and not wrong then redis.call('INCR', failures) end
    return given and 'given_back' or 'spent'
  `),
};
