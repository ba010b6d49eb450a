import type { Context } from "hono";
import { z } from "zod";
import { changePolicy } from "../../core/account/roll-out.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { requireRole } from "../../core/sessions/roles.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import type { Account, Requirement } from "../../store/postgres/schema.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { isRequired, requirementOfAccount } from "../../store/requirement.ts";
import { clientInfoOf } from "../http/client.ts";
import { readBody } from "./body.ts";
import { callerOf, param } from "./caller.ts";
import { Fault } from "./faults.ts";
import type { Routes } from "./routes.ts";

const levelSchema = z.object({
  "RAX-AUTH:multiFactorDomain": z.object({
    domainMultiFactorEnforcementLevel: z.enum(["REQUIRED", "OPTIONAL"]),
  }),
});

/** Routes of the caller's own domain, which is their account. */
export function domainRoutes(deps: CoreDeps): Routes {
  return {
    "/v2.0/RAX-AUTH/domains/:domainId": {
      GET: async (c) => {
        const { id, name, requirement } = await ownDomain(c, deps, await callerOf(c, deps));
        const level = requirement === "optional" ? "OPTIONAL" : "REQUIRED";
        const domain = { id, name, enabled: true, domainMultiFactorEnforcementLevel: level };
        return c.json({ "RAX-AUTH:domain": domain }, 200);
      },
    },
    "/v2.0/RAX-AUTH/domains/:domainId/multi-factor": {
      PUT: async (c) => {
        const session = await callerOf(c, deps);
        const account = await ownDomain(c, deps, session);
        await requireRole(deps, session, "administrator");
        const { "RAX-AUTH:multiFactorDomain": domain } = await readBody(c, levelSchema);
        const level = domain.domainMultiFactorEnforcementLevel;
        const requirement = level.toLowerCase() as Requirement;
        if (requirement === "required" && isStricter(deps, account)) return c.body(null, 204);
        const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
        await changePolicy(deps, session, { requirement }, origin);
        return c.body(null, 204);
      },
    },
  };
}

/**
 * Whether REQUIRED changes nothing: the protocol has no word for a requirement of a security key,
 * which asks for more. Throws `policy_conflict` while that is only announced.
 */
function isStricter({ clock }: CoreDeps, account: Account): boolean {
  if (account.requirement !== "phishing_resistant") return false;
  if (isRequired(requirementOfAccount(account), clock.now())) return true;
  throw new Problem(
    "policy_conflict",
    "The domain will require a security key or passkey. Change that in the portal or by /v1.",
  );
}

async function ownDomain(c: Context, { db }: CoreDeps, { accountId }: Session): Promise<Account> {
  const account = param(c, "domainId") === accountId && (await getAccount(db, accountId));
  if (!account) throw new Fault("itemNotFound", "You have no domain with this ID.");
  return account;
}
