import type { ClientInfo } from "../../machines/methods.ts";
import {
  addNamedDevice,
  getDevice,
  type NamedDevice,
  renameDevice,
} from "../../store/postgres/devices.ts";
import { noteEnrollmentStart } from "../../store/postgres/enrollment-starts.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { EnrollmentView } from "../../workflows/view-types.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { beginEnrollment } from "./begin-enrollment.ts";
import { type DeviceView, ownDevice, viewDevice } from "./devices.ts";
import { requireSetUpRight } from "./set-up-rights.ts";

/** The event that tells of a new device, its kind in the plural, and how many a user may have. */
type Kind = {
  added: "otp_device_added" | "webauthn_device_added";
  plural: string;
  most: number;
};

/**
 * Adds an unverified device with a nickname and begins its enrollment. Throws `too_many_devices`,
 * `too_many_requests`, and as `requireStillLive`. After a 503 no device is left.
 */
export async function enrollNamedDevice(
  deps: CoreDeps,
  session: Session,
  device: NamedDevice,
  { added, plural, most }: Kind,
  origin: ClientInfo,
  start: () => Promise<EnrollmentView>,
): Promise<DeviceView> {
  const { userId } = session;
  const event = userEvent(deps, session, added, origin, { deviceId: device.id });
  const add = () =>
    deps.db.transaction(async (tx) => {
      const at = new Date(deps.clock.now());
      const stored = await addNamedDevice(tx, { ...device, userId, at }, most, event);
      if (stored === "too_many")
        throw new Problem(
          "too_many_devices",
          `You have ${most} ${plural}, the maximum. Remove one to add another.`,
        );
      await noteEnrollmentStart(tx, device.id);
      // Checked here, because the lock on the user's row may have taken time. A refusal rolls all
      // back.
      await requireStillLive({ ...deps, db: tx }, session);
      return stored;
    });
  return payForChange(deps, userId, async () =>
    beginEnrollment(deps, { session, device: await add(), origin }, start),
  );
}

/**
 * Gives a device of any kind another nickname. Throws `device_not_found`, `too_many_requests`,
 * `reauthentication_required`, `key_required`.
 */
export async function giveDeviceName(
  deps: CoreDeps,
  session: Session,
  deviceId: string,
  name: string,
  origin: ClientInfo,
): Promise<DeviceView> {
  await requireRecentLogin(deps, session);
  const { userId } = session;
  const device = await ownDevice(deps, session, deviceId);
  await requireSetUpRight(deps, session, device.type);
  const rename = () =>
    holdingUser(deps.db, userId, async (tx) => {
      await requireStillLive({ ...deps, db: tx }, session);
      const before = await getDevice(tx, userId, deviceId);
      if (!before) throw new Problem("device_not_found", "The device was removed.");
      if (before.name === name) return false;
      const detail = { deviceId, from: before.name };
      const event = userEvent(deps, session, "device_renamed", origin, detail);
      await renameDevice(tx, before, name, event);
      return true;
    });
  await payForChange(deps, userId, rename);
  return viewDevice(deps, { ...device, name });
}
