import { type ProgressEvent, policyRolloutMachine } from "../machines/policy-rollout.ts";
import { batched, durable } from "./activities.ts";
import { host } from "./host.ts";
import { workflowIds } from "./ids.ts";
import type { PolicyRolloutArgs } from "./messages.ts";
import { signalFlow } from "./signal-flow.ts";
import type { PolicyRolloutView } from "./view-types.ts";
import { policyRolloutView } from "./views.ts";

const PERSISTED = { type: "POLICY_PERSISTED" } as const;
const CONFLICT = { type: "POLICY_CONFLICT" } as const;

/**
 * Rolls out one version of an account's policy, from its announcement until all users are set up.
 */
export async function policyRollout(args: PolicyRolloutArgs): Promise<PolicyRolloutView> {
  const { accountId, version } = args;
  const rollout = { accountId, version };
  return host(policyRolloutMachine, undefined, {
    name: "policyRollout",
    view: policyRolloutView,
    effects: {
      persistPolicy: async ({ context: { change } }) => {
        if (!change || !(await durable.persistPolicy({ ...rollout, ...change }))) return CONFLICT;
        const { supersedes, requirement } = change;
        // A roll-out that misses this signal finds out before it acts.
        if (supersedes !== undefined)
          await signalFlow(workflowIds.policyRollout(accountId, supersedes), "supersede", {
            requirement,
          });
        return PERSISTED;
      },
      remindUsers: async ({ context: { change, remindedDaysBefore } }) => {
        if (!change?.enforceAfter || remindedDaysBefore === undefined) return;
        const reminder = { requiredFrom: change.enforceAfter, daysLeft: remindedDaysBefore };
        await batched.remindUsers({ ...rollout, ...reminder });
      },
      enforcePolicy: async () => progressEvent(await durable.enforcePolicy(rollout)),
      countUsers: async () => progressEvent(await durable.countUsersToGo(rollout)),
    },
  });
}

function progressEvent(
  progress: Awaited<ReturnType<typeof durable.countUsersToGo>>,
): ProgressEvent {
  return "overtakenBy" in progress
    ? { type: "OVERTAKEN", requirement: progress.overtakenBy }
    : { type: "USERS_COUNTED", ...progress };
}
