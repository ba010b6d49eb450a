import type { CoreDeps } from "../../core/deps.ts";
import { configuredMethods, effectiveDefault } from "../../store/methods.ts";
import { getMfaProfile, type MfaProfile } from "../../store/postgres/profiles.ts";
import { findUserByUsername, normalizeUsername } from "../../store/postgres/users.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { REGION } from "./access.ts";
import { callerOf, noSuchUser, param, userOfDomain } from "./caller.ts";
import { Fault } from "./faults.ts";
import type { Routes } from "./routes.ts";

/** Routes that show callers themselves, and administrators the users of their domain. */
export function userRoutes(deps: CoreDeps): Routes {
  return {
    "/v2.0/users": {
      GET: async (c) => {
        const session = await callerOf(c, deps);
        const name = c.req.query("name");
        if (!name) throw new Fault("badRequest", "Name the user: /v2.0/users?name=...");
        const user = await findUserByUsername(deps.db, normalizeUsername(name));
        return c.json(await readUser(deps, session, user?.id ?? ""), 200);
      },
    },
    "/v2.0/users/:userId": {
      GET: async (c) => {
        const session = await callerOf(c, deps);
        return c.json(await readUser(deps, session, param(c, "userId")), 200);
      },
    },
  };
}

async function readUser(deps: CoreDeps, session: Session, userId: string) {
  if (userId !== session.userId) await userOfDomain(deps, session, userId);
  const profile = await getMfaProfile(deps.db, userId);
  if (!profile) throw noSuchUser();
  return { user: describeUser(profile) };
}

function describeUser({ user, devices }: MfaProfile) {
  const enabled = configuredMethods(devices).length > 0;
  const method = effectiveDefault(user.defaultMethod, devices);
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? "",
    enabled: true,
    "RAX-AUTH:domainId": user.accountId,
    "RAX-AUTH:defaultRegion": REGION,
    "RAX-AUTH:multiFactorEnabled": enabled,
    "RAX-AUTH:multiFactorState": user.lockedAt ? "LOCKED" : "ACTIVE",
    "RAX-AUTH:userMultiFactorEnforcementLevel": user.requirement?.toUpperCase() ?? "DEFAULT",
    ...(method && { "RAX-AUTH:factorType": method.toUpperCase() }),
  };
}
