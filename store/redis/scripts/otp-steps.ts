import { script } from "./script.ts";

/**
 * RFC 6238 section 5.2: a code is accepted once. So a device's step must be newer than its last
 * accepted one, or be the same and held by the same flow, which then merely repeats its request.
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
 * Uses a step up for good, as a session is opened by it: no late release gives it back, and where one
 * came before, and another flow has used the step since, it is refused.
 */
export const SPEND_STEP = `
  ${TAKE_STEP}
  local function spendStep(key, device, step, holder)
    if not takeStep(key, device, step, holder) then return false end
    redis.call('HSET', key, device, step .. ':spent')
    return true
  end
`;

// The steps before stay used: the record goes one step back rather than away.
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
