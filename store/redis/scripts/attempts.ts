import { COUNT_REQUEST, LOGIN_OF } from "./challenges.ts";
import { RELEASE_STEP, TAKE_STEP } from "./otp-steps.ts";
import type { Refund } from "./refunds.ts";
import { TAKE_REFUND } from "./refunds.ts";
import { IS_AMONG, script } from "./script.ts";

export const attemptScripts = {
  // Comparing HMACs needs no constant time: without the key an attacker cannot choose a closer
  // hash.
  judgePasscode: script<[outcome: string, ...details: (string | number)[]]>(`
    ${TAKE_STEP}
    ${COUNT_REQUEST}
    ${LOGIN_OF}
    local challenge, failures, steps, pending = unpack(KEYS)
    local challengeId, passcodeHashes, recovery, pendingId = ARGV[2], ARGV[3], ARGV[4], ARGV[7]
    local now, allowed = tonumber(ARGV[1]), tonumber(ARGV[5])
    local expiresAt, completedBy, hash, hashExpiresAt, formerHash, keyFrom, hasKey = unpack(
      redis.call('HMGET', challenge, 'expiresAt', 'completedBy', 'passcodeHash',
        'passcodeExpiresAt', 'formerHash', 'keyFrom', 'hasKey'))
    if not expiresAt then return {'unknown'} end
    if completedBy then return {'completed'} end
    local request = countRequest(challenge, now, expiresAt, tonumber(ARGV[6]))
    -- The lock is answered first: the user must know of it, however often they ask.
    if tonumber(redis.call('GET', failures) or 0) > allowed then return {'locked'} end
    if request ~= 'taken' then return {request} end
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
  // Answers the nonce that the user's key is to sign. Asking costs a request, and no attempt.
  offerNonce: script<[outcome: string]>(`
    ${COUNT_REQUEST}
    local challenge, failures = unpack(KEYS)
    local now, allowed, requests, nonce = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
    local expiresAt, completedBy = unpack(redis.call('HMGET', challenge, 'expiresAt', 'completedBy'))
    if not expiresAt then return {'unknown'} end
    if completedBy then return {'completed'} end
    local request = countRequest(challenge, now, expiresAt, requests)
    if tonumber(redis.call('GET', failures) or 0) > allowed then return {'locked'} end
    if request ~= 'taken' then return {request} end
    redis.call('HSET', challenge, 'nonce', nonce)
    return {'offered'}
  `),
  // The nonce is gone before the signature is looked at, so an assertion is judged only once.
  takeNonce: script<[outcome: string, ...details: (string | number)[]]>(`
    ${COUNT_REQUEST}
    ${LOGIN_OF}
    local challenge, failures = unpack(KEYS)
    local now, allowed, requests, assertions = unpack(ARGV)
    local expiresAt, completedBy, nonce =
      unpack(redis.call('HMGET', challenge, 'expiresAt', 'completedBy', 'nonce'))
    if not expiresAt then return {'unknown'} end
    if completedBy then return {'completed'} end
    local request = countRequest(challenge, tonumber(now), expiresAt, tonumber(requests))
    if tonumber(redis.call('GET', failures) or 0) > tonumber(allowed) then return {'locked'} end
    if request ~= 'taken' then return {request} end
    if not nonce then return {'none'} end
    redis.call('HDEL', challenge, 'nonce')
    if redis.call('HINCRBY', challenge, 'assertions', 1) > tonumber(assertions) then
      return {spendChallenge(challenge, now)}
    end
    return {'taken', nonce, loginOf(challenge)}
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
