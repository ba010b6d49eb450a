import { TAKE_FAILED_LOGINS } from "./failed-logins.ts";
import { SPEND_STEP } from "./otp-steps.ts";
import { dropExcess, script } from "./script.ts";

export const sessionScripts = {
  openSession: script<[outcome: string, ...failedLogins: (string | number)[]]>(`
    ${TAKE_FAILED_LOGINS}
    ${SPEND_STEP}
    local session, index, revocation, failed, challenge, failures, pending, steps = unpack(KEYS)
    local userEpoch, sessionId, now, expiresAt, margin, allowed, most, showsFailed = unpack(ARGV)
    local device, step, holder, rank = unpack(ARGV, 9, 12)
    if (redis.call('HGET', revocation, 'epoch') or '0') ~= userEpoch then return {'stale'} end
    if challenge then
      -- It may have been withdrawn since the answer was judged, which is what \`now\` is the time of.
      local ends, withdrawn = unpack(redis.call('HMGET', challenge, 'expiresAt', 'withdrawn'))
      if not ends or withdrawn or tonumber(ends) <= tonumber(now) then return {'stale'} end
      if tonumber(redis.call('GET', failures) or 0) > tonumber(allowed) then return {'locked'} end
      if device ~= '' and redis.call('HEXISTS', challenge, 'completedBy') == 0
        and not spendStep(steps, device, step, holder) then return {'used'} end
      if redis.call('HSETNX', challenge, 'completedBy', sessionId) == 0 then return {'completed'} end
      redis.call('HDEL', challenge, 'passcodeHash', 'passcodeExpiresAt', 'nonce')
      redis.call('DEL', failures, pending)
    end
    local stay = expiresAt - now + margin
    redis.call('HSET', session, unpack(ARGV, 13))
    redis.call('PEXPIRE', session, stay)
    -- The index holds every session that is kept, so that all of them are bounded together.
    redis.call('ZREMRANGEBYSCORE', index, '-inf', string.format('%.0f', now - margin))
    redis.call('ZADD', index, rank, sessionId)
    ${dropExcess("session", "sessionId", "most")}
    if redis.call('PTTL', index) < stay then redis.call('PEXPIRE', index, stay) end
    if showsFailed == '' then return {'opened'} end
    return {'opened', takeFailedLogins(failed)}
  `),
  touchSession: script<null>(`
    if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'lastSeenAt', ARGV[1]) end
  `),
  endSession: script<number>(`
    local session, index = unpack(KEYS)
    local sessionId, reason, now = unpack(ARGV)
    if redis.call('EXISTS', session) == 0 or redis.call('HSETNX', session, 'revoked', reason) == 0 then
      return 0
    end
    -- It stays, to say why it ended, and makes room before any live one.
    redis.call('ZADD', index, 'XX', now, sessionId)
    return 1
  `),
  keepOneSession: script<number>(`
    local session, revocation = unpack(KEYS)
    local now, reason, fact = unpack(ARGV)
    local userEpoch, revoked = unpack(redis.call('HMGET', session, 'userEpoch', 'revoked'))
    if userEpoch ~= (redis.call('HGET', revocation, 'epoch') or '0') or revoked then return 0 end
    redis.call('HSET', revocation, 'reason', reason, 'at', now, 'fact', fact)
    redis.call('HSET', session, 'userEpoch', redis.call('HINCRBY', revocation, 'epoch', 1))
    return 1
  `),
  strengthenSession: script<number>(`
    local session, revocation = unpack(KEYS)
    local amr, now, reason, fact = unpack(ARGV)
    local userEpoch, revoked, before =
      unpack(redis.call('HMGET', session, 'userEpoch', 'revoked', 'amr'))
    local current = redis.call('HGET', revocation, 'epoch') or '0'
    if userEpoch ~= current or revoked then return 0 end
    if not string.find(' ' .. before .. ' ', ' mfa ', 1, true) then
      redis.call('HSET', revocation, 'reason', reason, 'at', now, 'fact', fact)
      current = redis.call('HINCRBY', revocation, 'epoch', 1)
    end
    redis.call('HSET', session, 'amr', amr, 'userEpoch', current)
    return 1
  `),
};
