import type { Context } from "hono";
import type { Deps } from "../api/deps.ts";
import { subjectOf } from "../api/events.ts";
import { originOf } from "../api/origin.ts";
import { removeDevice } from "../api/removal.ts";
import { callerOf, callerOnOthersPath, isOwn } from "./caller.ts";

/** Removes the device that `find` answers for its owner: one's own, or another's of the domain by its administrator. */
export async function removeNamed(
  c: Context,
  deps: Deps,
  find: (userId: string) => Promise<string>,
): Promise<void> {
  const origin = originOf(c, deps.config.TRUSTED_PROXIES);
  const caller = await callerOf(c, deps, { setup: true });
  if (isOwn(c, caller)) {
    await removeDevice(deps, caller, await find(caller.userId), origin);
    return;
  }
  const { session, user } = await callerOnOthersPath(c, deps);
  await removeDevice(deps, session, await find(user.id), origin, subjectOf(user));
}
