import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import { listUnprovenDevices } from "../store/postgres/devices.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { otpEnrollment, smsEnrollment } from "./enrollments.ts";
import type { FollowUp } from "./start.ts";

const ADDED: readonly string[] = ["sms_device_added", "otp_device_added"];

/**
 * Finds the enrollment of each device that was just added. The gateway starts it too, but may have
 * died before.
 */
export async function enrollments(
  { db, config }: { db: Db; config: Config },
  events: readonly AuditEvent[],
): Promise<(event: AuditEvent) => FollowUp[]> {
  const added = events.filter(({ type }) => ADDED.includes(type));
  const devices = added.length > 0 ? await listUnprovenDevices(db, added.map(deviceOf)) : [];
  const { enrollmentMs: lifetimeMs, pin } = config.limits;
  return (event) =>
    devices
      .filter(({ id }) => ADDED.includes(event.type) && id === deviceOf(event))
      .map(({ id: deviceId, userId, type }) => {
        const args = { userId, accountId: event.accountId, deviceId, lifetimeMs };
        return type === "sms"
          ? smsEnrollment({ ...args, pinLifetimeMs: pin.lifetimeMs }).begun
          : otpEnrollment(args).begun;
      });
}

const deviceOf = ({ detail }: AuditEvent) => String(detail.deviceId);
