import { script } from "./script.ts";

export const enrollmentRequestScripts = {
  countEnrollmentRequest: script<number>(`
    local requests = redis.call('INCR', KEYS[1])
    if requests == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return requests
  `),
};
