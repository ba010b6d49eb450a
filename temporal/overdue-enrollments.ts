import type { Config } from "../config.ts";
import type { Method } from "../store/methods.ts";
import type { Db } from "../store/postgres/connect.ts";
import {
  forgetEnrollmentStart,
  type OverdueEnrollment,
  overdueEnrollments,
  putOffEnrollmentStart,
} from "../store/postgres/enrollment-starts.ts";
import type { Owner } from "../workflows/messages.ts";
import { otpEnrollment, smsEnrollment, webauthnEnrollment } from "./enrollments.ts";
import { type Log, startRepeating } from "./repeating.ts";
import type { StartedOnce } from "./start.ts";

type OverdueDeps = {
  db: Db;
  config: Config;
  /** Starts the workflow, or finds that it was started before. */
  start(enrollment: StartedOnce): Promise<void>;
  log: Log;
};

/**
 * Begins the enrollments of devices whose gateway died before it could, until it is stopped. Answers
 * a function that stops it.
 */
export function startOverdueEnrollments(deps: OverdueDeps): () => Promise<void> {
  const { batch, ...waits } = deps.config.limits.overdueEnrollments;
  const words = {
    fails: "overdue enrollments cannot begin; they are retried",
    again: "overdue enrollments begin again",
  };
  return startRepeating({ work: () => beginOverdue(deps, batch), ...waits, log: deps.log, words });
}

/**
 * Begins those that are due; answers how many. One whose start fails is put off, and keeps nobody
 * waiting behind it. A second failure is Temporal's, as a rule, and ends the round.
 */
async function beginOverdue(deps: OverdueDeps, batch: number): Promise<number> {
  const { db } = deps;
  const overdue = await overdueEnrollments(db, batch);
  const failures: unknown[] = [];
  for (const enrollment of overdue) {
    try {
      await begin(deps, enrollment);
    } catch (error) {
      await putOffEnrollmentStart(db, enrollment.deviceId);
      if (failures.push(error) === 2) break;
    }
  }
  if (failures.length > 0) throw failures[0];
  return overdue.length;
}

async function begin(
  { db, config, start }: OverdueDeps,
  { deviceId, accountId, device }: OverdueEnrollment,
): Promise<void> {
  if (device && accountId) {
    const args = { userId: device.userId, accountId, deviceId };
    await start(enrollmentOf(device.type, args, config));
  }
  await forgetEnrollmentStart(db, deviceId);
}

function enrollmentOf(
  type: Method,
  args: Owner & { deviceId: string },
  { limits }: Config,
): StartedOnce {
  const { enrollmentMs: lifetimeMs, keyEnrollmentMs, pin } = limits;
  switch (type) {
    case "sms":
      return smsEnrollment({ ...args, lifetimeMs, pinLifetimeMs: pin.lifetimeMs }).begun;
    case "otp":
      return otpEnrollment({ ...args, lifetimeMs }).begun;
    case "webauthn":
      return webauthnEnrollment({ ...args, lifetimeMs: keyEnrollmentMs }).begun;
  }
}
