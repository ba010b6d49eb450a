import type { Context } from "hono";
import { z } from "zod";
import { changeUserRequirement } from "../../core/account/user-requirement.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { changeDefaultMethod } from "../../core/devices/default-method.ts";
import {
  disableMultiFactor,
  enableMultiFactor,
  refuseIfRequired,
} from "../../core/devices/enable.ts";
import { removeAllDevices } from "../../core/devices/removal.ts";
import { Problem } from "../../core/problem.ts";
import { resetMultiFactor, unlock } from "../../core/support/support.ts";
import type { Method } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import { clientInfoOf } from "../http/client.ts";
import { readBody } from "./body.ts";
import { callerOf, callerOnOthersPath, callerOnOwnPath, isOwn } from "./caller.ts";
import { MULTI_FACTOR } from "./devices.ts";
import type { Routes } from "./routes.ts";

/** The reason in the audit trail, because the protocol has no field for one. */
const REASON = "by an administrator of the domain (Identity API)";

const factorType = z.enum(["SMS", "OTP"]);
const levels = { REQUIRED: "required", OPTIONAL: "optional", DEFAULT: null } as const;

const settingsSchema = z.object({
  "RAX-AUTH:multiFactor": z.union(
    [
      z.strictObject({ enabled: z.literal(true), factorType: factorType.optional() }),
      z.strictObject({ enabled: z.literal(false) }),
      z.strictObject({ factorType }),
      z.strictObject({ unlock: z.literal(true) }),
      z.strictObject({
        userMultiFactorEnforcementLevel: z.enum(["REQUIRED", "OPTIONAL", "DEFAULT"]),
      }),
    ],
    {
      error:
        "Send one of: enabled, with factorType if you like; factorType; unlock: true; " +
        "userMultiFactorEnforcementLevel.",
    },
  ),
});

/** Routes of a user's multi-factor settings as a whole. */
export function settingsRoutes(deps: CoreDeps): Routes {
  const originOf = (c: Context) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);

  return {
    [MULTI_FACTOR]: {
      PUT: async (c) => {
        const caller = await callerOf(c, deps, { setup: true });
        const { "RAX-AUTH:multiFactor": change } = await readBody(c, settingsSchema);
        const origin = originOf(c);
        if ("unlock" in change) await unlockUser(c, deps);
        else if ("userMultiFactorEnforcementLevel" in change) {
          const { session, user } = await callerOnOthersPath(c, deps);
          const level = levels[change.userMultiFactorEnforcementLevel];
          await changeUserRequirement(deps, session, user, level, origin);
        } else if (!("enabled" in change)) {
          const session = await callerOnOwnPath(c, deps);
          await changeDefaultMethod(deps, session, methodOf(change.factorType), origin);
        } else if (change.enabled) {
          const method = change.factorType && methodOf(change.factorType);
          await enableMultiFactor(deps, await callerOnOwnPath(c, deps), method, origin);
        } else if (isOwn(c, caller)) await disableMultiFactor(deps, caller, origin);
        else await reset(c, deps, { unlessRequired: true });
        return c.body(null, 204);
      },
      DELETE: async (c) => {
        const caller = await callerOf(c, deps, { setup: true });
        if (isOwn(c, caller)) await removeAllDevices(deps, caller, originOf(c));
        else await reset(c, deps, { unlessRequired: false });
        return c.body(null, 204);
      },
    },
  };

  /** Removes another user's devices and ends all their sessions, as Support does. */
  async function reset(
    c: Context,
    deps: CoreDeps,
    { unlessRequired }: { unlessRequired: boolean },
  ) {
    const { session, user } = await callerOnOthersPath(c, deps);
    const profile = await getMfaProfile(deps.db, user.id);
    if (!profile) throw new Problem("user_not_found");
    if (unlessRequired) refuseIfRequired(deps, profile);
    const actor = { actorId: session.userId, origin: originOf(c), session };
    await resetMultiFactor(deps, user, actor, REASON);
  }

  async function unlockUser(c: Context, deps: CoreDeps) {
    const { session, user } = await callerOnOthersPath(c, deps);
    const actor = { actorId: session.userId, origin: originOf(c), session };
    await unlock(deps, user, actor, REASON);
  }
}

const methodOf = (factor: z.infer<typeof factorType>) => factor.toLowerCase() as Method;
