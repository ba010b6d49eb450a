import type { ClientInfo } from "../../machines/methods.ts";
import { getAccount, listAccounts } from "../../store/postgres/accounts.ts";
import { listEvents } from "../../store/postgres/events/events.ts";
import { holdingAccount } from "../../store/postgres/holding-account.ts";
import type { Account, Requirement } from "../../store/postgres/schema.ts";
import { countUsers } from "../../store/postgres/user-lists.ts";
import { getUser } from "../../store/postgres/users.ts";
import { spend } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { requiredFrom } from "../../store/requirement.ts";
import { DAY_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import type { PolicyRolloutArgs } from "../../workflows/messages.ts";
import type { PolicyRolloutState } from "../../workflows/view-types.ts";
import { type Actor, requireStillActing } from "../actors.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, spendAll } from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";
import { methodsOf, requireRecentLogin } from "../sessions/recent-login.ts";

/** The longest grace period. A longer one would amount to no requirement. */
export const LONGEST_GRACE_DAYS = 365;

type PolicyState = "optional" | "grace_period" | "enforcing" | "enforced" | "completed";

/** An account's policy as its administrators see it, with the progress of its roll-out. */
export type Policy = {
  requirement: Requirement;
  enforceAfter: string | null;
  state: PolicyState;
  users: { total: number; configured: number; toGo: number };
  startedBy: { id: string; username: string } | null;
  startedAt: string | null;
  /** The administrator who asks has no verified device, so the roll-out logs them out too. */
  youMustSetUp: boolean;
};

export type PolicyRequest = {
  requirement: Requirement;
  enforceAfter?: string | { days: number } | null;
};

/** The policy of the administrator's account, with the progress of its roll-out as of now. */
export async function getPolicy(deps: CoreDeps, session: Session): Promise<Policy> {
  return describePolicy(deps, session, await accountOf(deps, session));
}

/**
 * Changes the policy of the administrator's account, as `rollOutPolicy` does. Throws what that
 * throws, `reauthentication_required`, and `policy_change_limit` after 60 roll-outs in 24 hours.
 */
export async function changePolicy(
  deps: CoreDeps,
  session: Session,
  request: PolicyRequest,
  origin: ClientInfo,
): Promise<Policy> {
  await requireRecentLogin(deps, session);
  const account = await accountOf(deps, session);
  const start = (rollout: PolicyRolloutArgs) => startWithinBudget(deps, rollout);
  const author = { actorId: session.userId, origin, session, start };
  await rollOutPolicy(deps, account, request, author);
  return getPolicy(deps, session);
}

/**
 * Throws `policy_change_limit`. A change that starts no roll-out spends nothing of the day's
 * budget.
 */
async function startWithinBudget(
  { redis, clock, config, flows }: CoreDeps,
  rollout: PolicyRolloutArgs,
): Promise<void> {
  const rules = [{ limit: config.limits.policyChangesPerDay, windowMs: DAY_MS }];
  const charge = { key: keys.policyChanges(rollout.accountId), rules };
  const spent = await spendAll(redis, clock.now(), [charge], {
    code: "policy_change_limit",
    detail: "The policy was changed too often today.",
  });
  await payIfDone(spent, () => flows.startPolicyRollout(rollout));
}

/** Who changes a policy, from where, and how their roll-out is started. */
type Author = Actor & {
  start?: (rollout: PolicyRolloutArgs) => Promise<unknown>;
};

/**
 * Changes an account's policy by a roll-out, which replaces a roll-out that still runs. Resolves
 * once the policy is stored and, without a grace period, enforced. Throws `policy_conflict` if
 * somebody else changed the policy first, `invalid_request` for a date in the past or too far
 * ahead.
 */
export async function rollOutPolicy(
  deps: CoreDeps,
  account: Account,
  { requirement, enforceAfter }: PolicyRequest,
  author: Author,
): Promise<void> {
  const { clock, flows } = deps;
  const { actorId, origin, start = flows.startPolicyRollout } = author;
  const { id: accountId, policyVersion } = account;
  const end = enforceAfter ? endOfGrace(requirement, enforceAfter, clock.now()) : null;
  const change = {
    requirement,
    enforceAfter: end?.toISOString() ?? null,
    graceMs: end ? end.getTime() - clock.now() : 0,
    actorId,
    origin,
  };
  // Identifies the change, so that a retry after a lost answer counts as the same request.
  const request = `${actorId}/${requirement}/${JSON.stringify(enforceAfter ?? null)}`;
  const running = await rolloutOf(deps, account);
  // Locks the account's row, because a colleague who takes the actor's role away locks it too. The
  // lock ends before the roll-out is moved: a transaction may last one second, and the workers may
  // take longer.
  const mayStill = () =>
    holdingAccount(deps.db, accountId, "key share", (tx) =>
      requireStillActing({ ...deps, db: tx }, author),
    );
  if (isSame(account, requirement, end, clock.now())) {
    const current = { accountId, version: policyVersion };
    const goesOn = running && !OVER.includes(running.state);
    // Temporal has lost the roll-out of a grace period that still runs. The next version replaces it.
    const isLost = !goesOn && end !== null;
    if (!isLost) {
      if (running?.state !== "persisting" && running?.state !== "enforcing") return;
      await mayStill();
      await flows.movePolicyRollout(current, "announce", change, request);
      return;
    }
  }

  const version = policyVersion + 1;
  await start({ userId: actorId, accountId, version });
  await mayStill();
  const supersedes = running?.next.includes("supersede") ? policyVersion : undefined;
  const { moved, view } = await flows.movePolicyRollout(
    { accountId, version },
    "announce",
    { ...change, supersedes },
    request,
  );
  if (!moved && view.next.includes("supersede"))
    await endLost(deps, accountId, version, requirement);
  if (!moved || view.state === "conflicted")
    throw new Problem("policy_conflict", "Read the policy again, then change it.");
}

/** States of a roll-out that was replaced or never came to be. */
const OVER: PolicyRolloutState[] = ["superseded", "canceled", "conflicted", "abandoned"];

/**
 * Ends a roll-out of a version that PostgreSQL does not have: it was restored to an earlier point.
 * The next try then starts that version anew.
 */
async function endLost(
  { db, flows }: CoreDeps,
  accountId: string,
  version: number,
  requirement: Requirement,
): Promise<void> {
  const account = await getAccount(db, accountId);
  if (!account || account.policyVersion >= version) return;
  await flows.signal(workflowIds.policyRollout(accountId, version), "supersede", { requirement });
}

/**
 * Starts the roll-outs that Temporal has lost while their grace period still runs. Each becomes the
 * account's next version, with the same end. Answers the accounts' names.
 */
export async function resumeRollouts(deps: CoreDeps, author: Author): Promise<string[]> {
  const resumed: string[] = [];
  for (const account of await listAccounts(deps.db)) {
    const enforceAfter = requiredFrom(account, deps.clock.now());
    if (!enforceAfter) continue;
    await rollOutPolicy(deps, account, { requirement: "required", enforceAfter }, author);
    const now = await getAccount(deps.db, account.id);
    if (now && now.policyVersion > account.policyVersion) resumed.push(account.name);
  }
  return resumed;
}

/** The end of the grace period. Throws `invalid_request`. */
function endOfGrace(
  requirement: Requirement,
  enforceAfter: string | { days: number },
  now: number,
): Date {
  const refuse = (message: string) =>
    new Problem("invalid_request", message, { errors: [{ path: "enforceAfter", message }] });
  if (requirement === "optional") throw refuse("Only a requirement can have a grace period.");
  const end =
    typeof enforceAfter === "string"
      ? new Date(enforceAfter)
      : new Date(now + enforceAfter.days * DAY_MS);
  if (end.getTime() <= now)
    throw refuse("The date is in the past. Leave it out to enforce the requirement now.");
  if (end.getTime() > now + LONGEST_GRACE_DAYS * DAY_MS)
    throw refuse(`A grace period can have at most ${LONGEST_GRACE_DAYS} days.`);
  return end;
}

/** Whether the policy is already as requested. If so, no session needs to end again. */
function isSame(account: Account, requirement: Requirement, end: Date | null, now: number) {
  return account.requirement === requirement && requiredFrom(account, now) === end?.toISOString();
}

async function describePolicy(deps: CoreDeps, session: Session, account: Account): Promise<Policy> {
  const { db } = deps;
  const [counted, { events }, methods] = await Promise.all([
    countUsers(db, account.id),
    listEvents(db, { accountId: account.id, types: ["policy_changed"], limit: 1 }),
    methodsOf(deps, session),
  ]);
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
async function rolloutOf({ flows }: CoreDeps, { id, policyVersion }: Account) {
  return policyVersion === 0 ? undefined : flows.policyRollout(id, policyVersion);
}

async function accountOf({ db }: CoreDeps, { accountId }: Session): Promise<Account> {
  const account = await getAccount(db, accountId);
  if (!account) throw new Problem("unauthenticated");
  return account;
}
