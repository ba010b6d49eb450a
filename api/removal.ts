import type { Origin } from "../machines/methods.ts";
import { newId } from "../store/ids.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { Deps } from "./deps.ts";
import { ownDevice } from "./devices.ts";
import type { Subject } from "./events.ts";
import { requireFresh } from "./fresh.ts";
import { Problem } from "./problem.ts";

/**
 * Removes an OTP device, or an unverified device of either kind: of the session's user, or of
 * somebody whom that administrates. Throws `remove_all_required` for a
 * verified phone, `device_not_found`, `reauthentication_required`.
 */
export async function removeDevice(
  deps: Deps,
  session: Session,
  deviceId: string,
  origin: Origin,
  of: Subject = session,
): Promise<void> {
  const device = await ownDevice(deps, of, deviceId);
  if (device.type === "sms" && device.verifiedAt) throw removeAllRequired();
  await requireFresh(deps, session);
  const outcome = await remove(deps, session, of, { deviceId, event: "device_removed" }, origin);
  if (outcome === "gone") throw new Problem("device_not_found", "It was removed.");
  if (outcome === "remove_all_required") throw removeAllRequired();
}

/** Turns multi-factor authentication off. Throws `reauthentication_required`. */
export async function removeAllDevices(
  deps: Deps,
  session: Session,
  origin: Origin,
): Promise<void> {
  await requireFresh(deps, session);
  await remove(deps, session, session, { event: "all_devices_removed" }, origin);
}

function remove(
  { flows }: Deps,
  { userId: actorId }: Session,
  { userId, accountId }: Subject,
  what: { deviceId?: string; event: "device_removed" | "all_devices_removed" },
  origin: Origin,
) {
  const owner = { userId, accountId, actorId };
  const args = { removalId: newId(), ...owner, ...what, origin };
  return flows.removeDevices({ ...args, signOut: "if_required" });
}

const removeAllRequired = () =>
  new Problem(
    "remove_all_required",
    "To remove or change this phone, remove all devices, then add the new number.",
  );
