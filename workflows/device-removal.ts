import { durable } from "./activities.ts";
import { end } from "./end.ts";
import { workflowIds } from "./ids.ts";
import type { DeviceRemovalArgs, DeviceRemovalResult } from "./messages.ts";
import { signalFlow } from "./signal-flow.ts";

/**
 * Removes one device or all of them, and what hung on them: with the last verified one
 * multi-factor authentication is off, so open logins and enrollments end. A plain sequence without
 * a machine: nothing but its own steps moves it, and each is repeated until it is done.
 */
export async function deviceRemoval(args: DeviceRemovalArgs): Promise<DeviceRemovalResult> {
  const outcome = await durable.removeDevices(args);
  if (typeof outcome === "string") return end(outcome);
  const { removed, mfaOff } = outcome;
  const challenges = await durable.retireDevices({ ...args, ...outcome });
  const { origin } = args;
  await Promise.all([
    ...removed.map(({ id, type }) =>
      signalFlow(workflowIds.enrollment(type, id), "withdraw", { origin }),
    ),
    ...challenges.map((id) =>
      signalFlow(workflowIds.loginChallenge(id), "withdraw", { reason: args.event }),
    ),
  ]);
  return end(mfaOff ? "multi_factor_off" : "removed");
}
