import { getAccount } from "../../store/postgres/accounts.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import type { Account, Requirement } from "../../store/postgres/schema.ts";
import { countUsers, type UserCounts } from "../../store/postgres/user-lists.ts";
import { getUser } from "../../store/postgres/users.ts";
import { spend } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { requiredFrom } from "../../store/requirement.ts";
import { DAY_MS } from "../../units.ts";
import type { PolicyRolloutState } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { methodsOf } from "../sessions/recent-login.ts";

/** The longest grace period. A longer one would amount to no requirement. */
export const LONGEST_GRACE_DAYS = 365;

/** What each requirement asks for, in words, and the count of users who lack it. */
export const DEMANDS = {
  required: { factor: "a second factor", without: "withoutDevice" },
  phishing_resistant: { factor: "a security key or passkey", without: "withoutKey" },
} as const satisfies Record<
  Exclude<Requirement, "optional">,
  { factor: string; without: keyof UserCounts }
>;

type PolicyState = "optional" | "grace_period" | "enforcing" | "enforced" | "completed";

/** An account's policy as its administrators see it, with the progress of its roll-out. */
export type Policy = {
  requirement: Requirement;
  enforceAfter: string | null;
  state: PolicyState;
  users: UserCounts;
  startedBy: { id: string; username: string } | null;
  startedAt: string | null;
  /** The administrator who asks is not set up, so the roll-out logs them out too. */
  youMustSetUp: boolean;
  /** The administrator who asks has no security key or passkey. */
  youMustAddKey: boolean;
};

/** The policy of the administrator's account, with the progress of its roll-out as of now. */
export async function getPolicy(deps: CoreDeps, session: Session): Promise<Policy> {
  return describePolicy(deps, session, await accountOf(deps, session));
}

async function describePolicy(deps: CoreDeps, session: Session, account: Account): Promise<Policy> {
  const { db } = deps;
  const [counted, { events }, methods] = await Promise.all([
    countUsers(db, account),
    listEvents(db, { accountId: account.id, types: ["policy_changed"], limit: 1 }),
    methodsOf(deps, session),
  ]);
  const youMustAddKey = !methods.includes("webauthn");
  const [change] = events;
  const starter = change?.actorId ? await getUser(db, change.actorId) : undefined;
  return {
    requirement: account.requirement,
    enforceAfter: account.enforceAfter?.toISOString() ?? null,
    state: await stateOf(deps, account, counted.toGo),
    users: counted,
    startedBy: starter ? { id: starter.id, username: starter.username } : null,
    startedAt: change?.at.toISOString() ?? null,
    youMustSetUp: methods.length === 0,
    youMustAddKey,
  };
}

/** The policy's state for each state of its roll-out. The other states say nothing about it. */
const STATES: Partial<Record<PolicyRolloutState, PolicyState>> = {
  optional: "optional",
  grace_period: "grace_period",
  enforcing: "enforcing",
  enforced: "enforced",
  counting: "enforced",
  completed: "completed",
};

/**
 * The state of the policy. If no user is left to set up, the roll-out is asked to recount at once
 * instead of at its next daily count.
 */
async function stateOf(deps: CoreDeps, account: Account, toGo: number): Promise<PolicyState> {
  const { id: accountId, policyVersion: version } = account;
  let rollout = await rolloutOf(deps, account);
  if (toGo === 0 && rollout?.next.includes("recount") && (await mayRecount(deps, account)))
    rollout = (await deps.flows.movePolicyRollout({ accountId, version }, "recount", {})).view;
  const shown = rollout && STATES[rollout.state];
  if (shown) return shown;
  // The roll-out's workflow ended long ago, or does not know yet that the policy is stored.
  if (account.requirement === "optional") return "optional";
  if (requiredFrom(account, deps.clock.now())) return "grace_period";
  if (rollout?.state === "persisting") return "enforcing";
  return toGo === 0 ? "completed" : "enforced";
}

/**
 * Whether the roll-out may be asked to recount now. Each GET may ask, a roll-out may run for years,
 * and its workflow accepts a limited number of Updates. It recounts by itself once a day.
 */
async function mayRecount({ redis, clock, config }: CoreDeps, { id, policyVersion }: Account) {
  const rules = [
    { limit: config.limits.flowRequests.recounts, windowMs: LONGEST_GRACE_DAYS * DAY_MS },
  ];
  return (await spend(redis, keys.recounts(id, policyVersion), rules, clock.now())).ok;
}

/**
 * The roll-out of the account's policy. Undefined if the policy was never changed, or if Temporal
 * no longer keeps the workflow.
 */
export async function rolloutOf({ flows }: CoreDeps, { id, policyVersion }: Account) {
  return policyVersion === 0 ? undefined : flows.policyRollout(id, policyVersion);
}

/** The administrator's account. Throws `unauthenticated` if it is gone. */
export async function accountOf({ db }: CoreDeps, { accountId }: Session): Promise<Account> {
  const account = await getAccount(db, accountId);
  if (!account) throw new Problem("unauthenticated");
  return account;
}
