import { durable } from "./activities.ts";
import { end } from "./end.ts";
import { workflowIds } from "./ids.ts";
import type { DeviceRemovalArgs, DeviceRemovalResult } from "./messages.ts";
import { signalFlow } from "./signal-flow.ts";

/**
 * Removes one device or all of them, with everything that depends on them. Without a verified
 * device multi-factor authentication is off, so open logins and enrollments end. It needs no
 * machine: only its own steps move it, and each is repeated until it succeeds.
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
