import { activityInfo, heartbeat } from "@temporalio/activity";
import type { Clock } from "../config.ts";
import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import { getAccount, remindUsers, setPolicy } from "../store/postgres/accounts.ts";
import { type NewEvent, recordEvent } from "../store/postgres/events/events.ts";
import type { Account, Requirement } from "../store/postgres/schema.ts";
import { countUsers } from "../store/postgres/user-lists.ts";
import { revokeAccount, scheduleEnforcement } from "../store/redis/sessions/revocations.ts";
import { KEY_REQUIRED, POLICY_REQUIRED } from "../store/redis/sessions/session-records.ts";
import { enforcedBy } from "../store/requirement.ts";
import { eventOf } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";

/** How many users a batch of reminders goes through. */
const BATCH = 1_000;

/** A version of an account's policy that is being rolled out. */
type Rollout = { accountId: string; version: number };

type Change = Rollout & {
  requirement: Requirement;
  enforceAfter: string | null;
  actorId: string;
  origin: ClientInfo;
};

/** How many users are not set up yet, or that a newer version has replaced the policy. */
type Progress = { toGo: number } | { overtakenBy: Requirement };

/** The steps of a policy's roll-out. Each first checks that the policy still has this version. */
export function policyActivities({ db, redis, clock }: ActivityDeps) {
  /** The account, or what has replaced this version of its policy. */
  const currentOf = async ({
    accountId,
    version,
  }: Rollout): Promise<Account | { overtakenBy: Requirement }> => {
    const account = await getAccount(db, accountId);
    if (account?.policyVersion === version) return account;
    return { overtakenBy: account?.requirement ?? "optional" };
  };
  const progressOf = async (rollout: Rollout): Promise<Progress> => {
    const account = await currentOf(rollout);
    if ("overtakenBy" in account) return account;
    const { toGo } = await countUsers(db, account);
    return { toGo };
  };

  return {
    /** False if another administrator changed the policy first. */
    async persistPolicy(change: Change): Promise<boolean> {
      const { accountId, version, requirement, enforceAfter } = change;
      const detail = { requirement, enforceAfter, version };
      const event = rolloutEvent(clock, "policy_changed", change, detail);
      const end = enforceAfter === null ? null : new Date(enforceAfter);
      const policy = { accountId, requirement, enforceAfter: end, version: version - 1 };
      const account = await setPolicy(db, policy, event);
      if (account === "conflict") return false;
      // The earlier policy's own enforcement may still be waiting for a worker.
      if (account.requiredMeanwhile)
        await revokeAccount(redis, accountId, {
          reason: POLICY_REQUIRED,
          now: clock.now(),
          fact: event.key,
        });
      // Gateways enforce this time themselves, so it takes effect even if no worker runs then.
      await scheduleEnforcement(redis, accountId, {
        version,
        enforceAfter: end?.getTime() ?? null,
        enforces: enforcedBy(change),
      });
      return true;
    },

    /**
     * Ends the account's sessions without what it requires: a second factor, or a security key.
     * Called when the requirement takes effect.
     */
    async enforcePolicy(rollout: Rollout): Promise<Progress> {
      const account = await currentOf(rollout);
      if ("overtakenBy" in account) return account;
      // The event's key does not depend on the count. Counting a large account may fail and be
      // repeated, so the sessions end first.
      const { key } = rolloutEvent(clock, "policy_enforced", rollout, {});
      const without = enforcedBy(account);
      const reason = without === "key" ? KEY_REQUIRED : POLICY_REQUIRED;
      await revokeAccount(redis, account.id, { reason, now: clock.now(), fact: key }, without);
      const { toGo } = await countUsers(db, account);
      const detail = { toGo, ...asked(account) };
      await recordEvent(db, rolloutEvent(clock, "policy_enforced", rollout, detail));
      return { toGo };
    },

    countUsersToGo: progressOf,

    /**
     * Adds a reminder to the activity of every user who is not set up. Each batch of users
     * commits, and a repeat continues after the last one.
     */
    async remindUsers(reminder: Rollout & { requiredFrom: string; daysLeft: number }) {
      const { daysLeft, requiredFrom } = reminder;
      const account = await currentOf(reminder);
      if ("overtakenBy" in account) return;
      const detail = { requiredFrom, ...asked(account) };
      const event = rolloutEvent(clock, "multi_factor_reminder", reminder, detail);
      const reminded = { ...event, key: `${event.key}/${daysLeft}` };
      const without = enforcedBy(account) === "key" ? ("webauthn" as const) : undefined;
      let after: string | undefined = activityInfo().heartbeatDetails;
      do {
        if ("overtakenBy" in (await currentOf(reminder))) return;
        after = await remindUsers(db, reminded, { after, limit: BATCH, without });
        heartbeat(after);
      } while (after !== undefined);
    },
  };
}

/** In an event's detail: what is required, if it is a key. Without it, any second factor is. */
const asked = ({ requirement }: Account) =>
  requirement === "phishing_resistant" ? { requirement } : {};

/**
 * An event about the whole account. Its key includes the workflow's run. If two administrators
 * change the policy at once, the slower one's roll-out may have the same ID, and must not take the
 * other's event for its own.
 */
function rolloutEvent(
  clock: Clock,
  type: EventType,
  { accountId, actorId, origin }: { accountId: string; actorId?: string; origin?: ClientInfo },
  detail: Record<string, unknown>,
): NewEvent {
  const event = eventOf(clock, type, { userId: "", accountId, origin }, detail);
  const key = `${event.key}/${activityInfo().workflowExecution?.runId}`;
  return { ...event, key, userId: null, actorId: actorId ?? null };
}
