import { getExternalWorkflowHandle } from "@temporalio/workflow";
import { durable } from "./activities.ts";
import { workflowIds } from "./ids.ts";
import type { DeviceRemovalArgs, DeviceRemovalResult } from "./messages.ts";

/**
 * Removes one device or all of them, and what hung on them: with the last verified one
 * multi-factor authentication is off, so open logins and enrollments end. A plain sequence without
 * a machine: nothing but its own steps moves it, and each is repeated until it is done.
 */
export async function deviceRemoval(args: DeviceRemovalArgs): Promise<DeviceRemovalResult> {
  const outcome = await durable.removeDevices(args);
  if (typeof outcome === "string") return outcome;
  const { removed, mfaOff } = outcome;
  const challenges = await durable.retireDevices({ ...args, ...outcome });
  const { origin } = args;
  await Promise.all([
    ...removed.map(({ id, type }) => withdraw(workflowIds.enrollment(type, id), { origin })),
    ...challenges.map((id) => withdraw(workflowIds.loginChallenge(id), { reason: args.event })),
  ]);
  return mfaOff ? "multi_factor_off" : "removed";
}

/** Ends another flow; one that has ended already needs nothing. */
async function withdraw(workflowId: string, payload: object) {
  await getExternalWorkflowHandle(workflowId)
    .signal("withdraw", payload)
    .catch(() => {});
}
