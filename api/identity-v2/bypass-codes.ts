import { z } from "zod";
import { subjectOf } from "../../core/audit.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { makeRecoveryCodes } from "../../core/devices/recovery-codes.ts";
import { MINUTE_MS } from "../../units.ts";
import { clientInfoOf } from "../http/client.ts";
import { readBody } from "./body.ts";
import { callerOf, callerOnOthersPath, isOwn } from "./caller.ts";
import { MULTI_FACTOR } from "./devices.ts";
import { parseDuration } from "./durations.ts";
import { Fault } from "./faults.ts";
import type { Routes } from "./routes.ts";

const LONGEST_MS = 365 * 24 * 60 * MINUTE_MS;
/** The limit where an administrator makes the code for another user. */
const LONGEST_BY_OTHERS_MS = 180 * MINUTE_MS;

const codesSchema = z.object({
  "RAX-AUTH:bypassCodes": z.object({
    numberOfCodes: z
      .union([z.int(), z.string().regex(/^\d{1,2}$/)])
      .default(1)
      .transform(Number)
      .refine((n) => n >= 1 && n <= 10, "Ask for 1 to 10 codes."),
    validityDuration: z
      .string()
      .default("PT30M")
      .refine((text) => {
        const ms = parseDuration(text);
        return ms !== undefined && ms >= MINUTE_MS && ms <= LONGEST_MS;
      }, "Give a duration from one minute to 365 days, such as PT30M."),
  }),
});

/**
 * Bypass codes are recovery codes that expire; an administrator makes one for a user of the domain.
 */
export function bypassCodeRoutes(deps: CoreDeps): Routes {
  return {
    [`${MULTI_FACTOR}/bypass-codes`]: {
      POST: async (c) => {
        const caller = await callerOf(c, deps);
        const others = isOwn(c, caller) ? undefined : await callerOnOthersPath(c, deps);
        const { "RAX-AUTH:bypassCodes": wanted } = await readBody(c, codesSchema);
        const { numberOfCodes, validityDuration } = wanted;
        const validMs = parseDuration(validityDuration);
        if (others && (numberOfCodes > 1 || Number(validMs) > LONGEST_BY_OTHERS_MS))
          throw new Fault(
            "forbidden",
            "For another user you can make one code, for at most 180 minutes.",
          );
        const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
        const of = others && subjectOf(others.user);
        const made = await makeRecoveryCodes(deps, caller, numberOfCodes, origin, { of, validMs });
        return c.json({ "RAX-AUTH:bypassCodes": { codes: made.codes, validityDuration } }, 200);
      },
    },
  };
}
