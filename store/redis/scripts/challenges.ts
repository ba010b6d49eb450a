import { dropExcess, script } from "./script.ts";

/** The outcome of a request to a challenge, before anything else is checked. */
export type TakenRequest = "taken" | "unknown" | "completed" | "expired" | "just_spent" | "spent";

/**
 * Counts a request to an open challenge. One too many ends the challenge, and nothing else is
 * checked.
 */
export const COUNT_REQUEST = `
  local function spendChallenge(challenge, now)
    if redis.call('HSETNX', challenge, 'spent', '1') == 0 then return 'spent' end
    redis.call('HSET', challenge, 'expiresAt', now)
    redis.call('HDEL', challenge, 'passcodeHash', 'passcodeExpiresAt', 'nonce')
    return 'just_spent'
  end
  local function countRequest(challenge, now, expiresAt, allowed)
    if redis.call('HEXISTS', challenge, 'spent') == 1 then return 'spent' end
    if now >= tonumber(expiresAt) then return 'expired' end
    if redis.call('HINCRBY', challenge, 'requests', 1) <= allowed then return 'taken' end
    return spendChallenge(challenge, string.format('%.0f', now))
  end
`;

/**
 * Counts a request that could complete a challenge. Answers why it may not, or nil. The lock is
 * answered first: the user must know of it, however often they ask.
 */
export const STANDING = `
  ${COUNT_REQUEST}
  local function standing(challenge, failures, now, allowed, requests)
    local expiresAt, completedBy = unpack(redis.call('HMGET', challenge, 'expiresAt', 'completedBy'))
    if not expiresAt then return 'unknown' end
    if completedBy then return 'completed' end
    local request = countRequest(challenge, now, expiresAt, requests)
    if tonumber(redis.call('GET', failures) or 0) > allowed then return 'locked' end
    if request ~= 'taken' then return request end
  end
`;

/** What the session of a challenge is made from: the account, and the epochs as one text. */
export const LOGIN_OF = `
  local function loginOf(challenge)
    local account, user, ofAccount, keys, generation = unpack(redis.call('HMGET', challenge,
      'accountId', 'userEpoch', 'accountEpoch', 'accountKeyEpoch', 'generation'))
    return table.concat({account, user, ofAccount, keys or '0', generation or ''}, ' ')
  end
`;

export const challengeScripts = {
  // The devices that the login saw may be gone. Then no challenge is opened for them.
  openChallenge: script<number>(`
    local challenge, index, revocation = unpack(KEYS)
    local stay, now, id, expiresAt, most, withdrawn = unpack(ARGV)
    if withdrawn ~= '' and (redis.call('HGET', revocation, 'withdrawn') or '0') ~= withdrawn then
      return 0
    end
    redis.call('HSET', challenge, unpack(ARGV, 7))
    redis.call('PEXPIRE', challenge, stay)
    -- The index holds every challenge that is kept, so that all of them are bounded together.
    redis.call('ZREMRANGEBYSCORE', index, '-inf', string.format('%.0f', now - stay))
    redis.call('ZADD', index, expiresAt, id)
    ${dropExcess("challenge", "id", "most")}
    redis.call('PEXPIRE', index, stay)
    return 1
  `),
  noteWithdrawal: script<null>(`redis.call('HINCRBY', KEYS[1], 'withdrawn', 1)`),
  // A challenge that became a session stays as it is.
  withdrawChallenge: script<null>(`
    if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'completedBy') == 1 then
      return
    end
    redis.call('HSET', KEYS[1], 'expiresAt', ARGV[1], 'withdrawn', '1')
    redis.call('HDEL', KEYS[1], 'passcodeHash', 'passcodeExpiresAt', 'nonce')
  `),
  takeRequest: script<TakenRequest>(`
    ${COUNT_REQUEST}
    local expiresAt, completedBy = unpack(redis.call('HMGET', KEYS[1], 'expiresAt', 'completedBy'))
    if not expiresAt then return 'unknown' end
    if completedBy then return 'completed' end
    return countRequest(KEYS[1], tonumber(ARGV[1]), expiresAt, tonumber(ARGV[2]))
  `),
  spendChallenge: script<TakenRequest>(`
    ${COUNT_REQUEST}
    if redis.call('EXISTS', KEYS[1]) == 0 then return 'unknown' end
    if redis.call('HEXISTS', KEYS[1], 'completedBy') == 1 then return 'completed' end
    return spendChallenge(KEYS[1], ARGV[1])
  `),
  replacePasscode: script<number>(`
    local expiresAt, completedBy, former =
      unpack(redis.call('HMGET', KEYS[1], 'expiresAt', 'completedBy', 'passcodeHash'))
    if not expiresAt or completedBy then return 0 end
    if former then redis.call('HSET', KEYS[1], 'formerHash', former) end
    redis.call('HSET', KEYS[1], 'passcodeHash', ARGV[1], 'passcodeExpiresAt', ARGV[2])
    return 1
  `),
};
