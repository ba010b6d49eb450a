import { script } from "./script.ts";

/**
 * RFC 6238 section 5.2: a code is accepted once. So a device's step must be newer than its last
 * accepted step, or be the same step held by the same flow, which then only repeats its request.
 */
export const TAKE_STEP = `
  local function takeStep(key, device, step, holder)
    local last, by = string.match(redis.call('HGET', key, device) or '', '^(%d+):(.*)$')
    if last then
      local ahead = tonumber(step) - tonumber(last)
      if ahead < 0 or (ahead == 0 and by ~= holder) then return false end
    end
    redis.call('HSET', key, device, step .. ':' .. holder)
    return true
  end
`;

/**
 * Spends a step for good, when it opens a session: a late release cannot give it back. If an
 * earlier release gave it back and another flow has used it since, it is refused.
 */
export const SPEND_STEP = `
  ${TAKE_STEP}
  local function spendStep(key, device, step, holder)
    if not takeStep(key, device, step, holder) then return false end
    redis.call('HSET', key, device, step .. ':spent')
    return true
  end
`;

// Earlier steps stay used: the record moves back by one step instead of being deleted.
export const RELEASE_STEP = `
  local function releaseStep(key, device, step, holder)
    if redis.call('HGET', key, device) == step .. ':' .. holder then
      redis.call('HSET', key, device, string.format('%.0f', tonumber(step) - 1) .. ':')
    end
  end
`;

export const otpStepScripts = {
  takeOtpStep: script<number>(`
    ${TAKE_STEP}
    return takeStep(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) and 1 or 0
  `),
};
