import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { hasSecondFactor, type Session } from "../../store/redis/sessions/session-records.ts";
import type { DeviceRemovalArgs } from "../../workflows/messages.ts";
import type { Subject } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { reauthenticate, requireRecentLogin } from "../sessions/recent-login.ts";
import { ownDevice } from "./devices.ts";
import { requireSetUpRight } from "./set-up-rights.ts";

/**
 * Removes any device but a verified phone. It belongs to the session's user, or to `of`, a user of
 * the administrator's account. Throws `remove_all_required` for a verified phone,
 * `device_not_found`, `reauthentication_required`, `key_required`, and `ifLast`, if given, for the
 * last device of the method that logins start with.
 */
export async function removeDevice(
  deps: CoreDeps,
  session: Session,
  deviceId: string,
  origin: ClientInfo,
  { of = session, ifLast }: { of?: Subject; ifLast?: Error } = {},
): Promise<void> {
  const device = await ownDevice(deps, of, deviceId);
  if (device.type === "sms" && device.verifiedAt) throw removeAllRequired();
  await requireRecentLogin(deps, session);
  await requireSetUpRight(deps, session, device.type);
  const unless = ifLast && ("last_of_default" as const);
  const what = { deviceId, event: "device_removed", unless } as const;
  const outcome = await remove(deps, session, of, what, origin);
  if (outcome === "overtaken" && ifLast) throw ifLast;
  if (outcome === "gone") throw new Problem("device_not_found", "The device was removed.");
  if (outcome === "remove_all_required") throw removeAllRequired();
}

/**
 * Turns multi-factor authentication off. Throws `reauthentication_required`, `key_required`, and
 * `too_many_requests` if there is nothing to remove: that is paid for as any change.
 */
export async function removeAllDevices(
  deps: CoreDeps,
  session: Session,
  origin: ClientInfo,
): Promise<void> {
  await requireRecentLogin(deps, session);
  // Among them may be devices that a set-up session may not remove.
  const devices = await listDevices(deps.db, session.userId);
  const other = devices.find(({ type }) => type !== "webauthn");
  if (other) await requireSetUpRight(deps, session, other.type);
  const all = () => remove(deps, session, session, { event: "all_devices_removed" }, origin);
  // Runs even without devices: an earlier removal may have failed before it ended challenges and
  // sessions.
  await (devices.length > 0 ? all() : payForChange(deps, session.userId, all));
}

async function remove(
  deps: CoreDeps,
  session: Session,
  { userId, accountId }: Subject,
  what: Pick<DeviceRemovalArgs, "deviceId" | "unless"> & {
    event: "device_removed" | "all_devices_removed";
  },
  origin: ClientInfo,
) {
  const { userId: actorId } = session;
  const owner = { userId, accountId, actorId };
  // A session without a second factor may remove only devices that do not count yet. They may have
  // come to count since the check.
  const isAlone = userId === actorId && !hasSecondFactor(session);
  const unless = isAlone ? "enabled" : what.unless;
  const { id: sessionId } = session;
  const args = { removalId: newId(), ...owner, ...what, unless, sessionId, origin };
  await requireStillLive(deps, session);
  const outcome = await deps.flows.removeDevices({ ...args, signOut: "if_required" });
  if (outcome === "overtaken" && isAlone) throw reauthenticate();
  return outcome;
}

const removeAllRequired = () =>
  new Problem(
    "remove_all_required",
    "To remove or change this phone, remove all devices, then add the new number.",
  );
