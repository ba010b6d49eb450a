import type { ClientInfo } from "../../machines/methods.ts";
import { removeUnverifiedDevice } from "../../store/postgres/devices.ts";
import { forgetEnrollmentStart } from "../../store/postgres/enrollment-starts.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { dropPin } from "../../store/redis/second-step/pins.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { EnrollmentView } from "../../workflows/view-types.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { type DeviceView, viewDevice } from "./devices.ts";

/**
 * Starts the enrollment of a device that is already stored. No transaction is open meanwhile, so
 * that a slow Temporal does not use up the connections to PostgreSQL. If the start fails, the device
 * is removed again, and `unsent` is called if certainly no PIN was sent. If this process dies first,
 * a worker starts the enrollment (temporal/overdue-enrollments.ts).
 */
export async function beginEnrollment(
  deps: CoreDeps,
  { session, device, origin }: { session: Session; device: Device; origin: ClientInfo },
  start: () => Promise<EnrollmentView>,
  unsent?: () => Promise<void>,
): Promise<DeviceView> {
  const begun = await start().catch(async (error) => {
    await takeBack(deps, session, device, origin, unsent).catch((err) =>
      deps.log.warn({ err }, "could not remove a device; a worker pairs it"),
    );
    throw error;
  });
  // If this fails, a worker finds that the enrollment has begun.
  await forgetEnrollmentStart(deps.db, device.id).catch(() => {});
  return viewDevice(deps, device, begun);
}

/** Removes the device. If no PIN was made for it by then, none is sent any more: calls `unsent`. */
async function takeBack(
  deps: CoreDeps,
  session: Session,
  { id: deviceId, userId }: Device,
  origin: ClientInfo,
  unsent?: () => Promise<void>,
): Promise<void> {
  const detail = { deviceId, reason: "not_started" };
  const event = userEvent(deps, session, "device_dropped", origin, detail);
  await removeUnverifiedDevice(deps.db, { userId, deviceId }, event);
  const wasMade = await dropPin(deps.redis, { userId, deviceId });
  if (!wasMade) await unsent?.();
}
