import type { ClientInfo } from "../../machines/methods.ts";
import { accountsWithGrace, getAccount } from "../../store/postgres/accounts.ts";
import { holdingAccount } from "../../store/postgres/holding-account.ts";
import type { Account, Requirement } from "../../store/postgres/schema.ts";
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
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { relyingParty } from "../webauthn/relying-party.ts";
import { accountOf, getPolicy, LONGEST_GRACE_DAYS, type Policy, rolloutOf } from "./policy.ts";

export type PolicyRequest = {
  requirement: Requirement;
  enforceAfter?: string | { days: number } | null;
};

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
 * ahead, `webauthn_unavailable` for a new requirement of a key where users can have none.
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
  if (requirement === "phishing_resistant" && account.requirement !== requirement)
    relyingParty(deps.config);
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
  // Temporal has lost the roll-out of a grace period that still runs. The next version replaces it.
  const isLost = end !== null && (!running || OVER.includes(running.state));
  if (isSame(account, requirement, end, clock.now()) && !isLost) {
    if (running?.state !== "persisting" && running?.state !== "enforcing") return;
    await mayStill();
    const current = { accountId, version: policyVersion };
    await flows.movePolicyRollout(current, "announce", change, request);
    return;
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
  for await (const page of accountsWithGrace(deps.db))
    for (const account of page) {
      const enforceAfter = requiredFrom(account, deps.clock.now());
      if (!enforceAfter) continue;
      await rollOutPolicy(
        deps,
        account,
        { requirement: account.requirement, enforceAfter },
        author,
      );
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
