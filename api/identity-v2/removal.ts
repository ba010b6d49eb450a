import type { Context } from "hono";
import { subjectOf } from "../../core/audit.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { removeDevice } from "../../core/devices/removal.ts";
import { clientInfoOf } from "../http/client.ts";
import { callerOf, callerOnOthersPath, isOwn } from "./caller.ts";
import type { Fault } from "./faults.ts";

/**
 * Removes the device that `find` returns for the path's user: the caller, or another user of the
 * domain that the caller administers. Throws `ifLast` for the last device of the default method.
 */
export async function removeNamed(
  c: Context,
  deps: CoreDeps,
  find: (userId: string) => Promise<string>,
  ifLast?: Fault,
): Promise<void> {
  const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const caller = await callerOf(c, deps, { setup: true });
  if (isOwn(c, caller)) {
    await removeDevice(deps, caller, await find(caller.userId), origin, { ifLast });
    return;
  }
  const { session, user } = await callerOnOthersPath(c, deps);
  await removeDevice(deps, session, await find(user.id), origin, {
    of: subjectOf(user),
    ifLast,
  });
}
