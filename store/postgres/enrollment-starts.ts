import { and, asc, eq, lt, sql } from "drizzle-orm";
import type { Db } from "./connect.ts";
import { isUnproven } from "./devices.ts";
import { type Device, devices, enrollmentStarts, users } from "./schema.ts";

/**
 * How long a gateway may take to begin the enrollment of a device that it added, in ms. It waits
 * for Temporal less long, and then removes the device.
 */
const GATEWAY_MS = 30_000;

/** Notes that the device's enrollment has to begin. Belongs into the transaction that adds it. */
export async function noteEnrollmentStart(tx: Db, deviceId: string): Promise<void> {
  const dueAt = sql`now() + ${GATEWAY_MS} * interval '1 millisecond'`;
  await tx.insert(enrollmentStarts).values({ deviceId, dueAt });
}

/** The device's enrollment has begun, or will not begin any more. */
export async function forgetEnrollmentStart(db: Db, deviceId: string): Promise<void> {
  await db.delete(enrollmentStarts).where(eq(enrollmentStarts.deviceId, deviceId));
}

/**
 * Puts an enrollment off whose start has failed: for as long as its device is old, so each time for
 * twice as long, but at least a minute and at most an hour.
 */
export async function putOffEnrollmentStart(db: Db, deviceId: string): Promise<void> {
  const createdAt = db
    .select({ at: devices.createdAt })
    .from(devices)
    .where(eq(devices.id, deviceId));
  const age = sql`least(greatest(now() - (${createdAt}), interval '1 minute'), interval '1 hour')`;
  await db
    .update(enrollmentStarts)
    .set({ dueAt: sql`now() + ${age}` })
    .where(eq(enrollmentStarts.deviceId, deviceId));
}

/** Without `device` if it was removed or proven since. */
export type OverdueEnrollment = {
  deviceId: string;
  accountId: string | null;
  device: Device | null;
};

/** Enrollments that no gateway has begun in time, oldest first. */
export function overdueEnrollments(db: Db, limit: number): Promise<OverdueEnrollment[]> {
  return db
    .select({ deviceId: enrollmentStarts.deviceId, accountId: users.accountId, device: devices })
    .from(enrollmentStarts)
    .leftJoin(devices, and(eq(devices.id, enrollmentStarts.deviceId), isUnproven))
    .leftJoin(users, eq(users.id, devices.userId))
    .where(lt(enrollmentStarts.dueAt, sql`now()`))
    .orderBy(asc(enrollmentStarts.dueAt))
    .limit(limit);
}
