import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import { forgetEnrollmentStart, overdueEnrollments } from "../store/postgres/enrollment-starts.ts";
import { otpEnrollment, smsEnrollment } from "./enrollments.ts";
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

async function beginOverdue({ db, config, start }: OverdueDeps, batch: number): Promise<number> {
  const { enrollmentMs: lifetimeMs, pin } = config.limits;
  const overdue = await overdueEnrollments(db, batch);
  for (const { deviceId, accountId, device } of overdue) {
    if (device && accountId) {
      const args = { userId: device.userId, accountId, deviceId, lifetimeMs };
      await start(
        device.type === "sms"
          ? smsEnrollment({ ...args, pinLifetimeMs: pin.lifetimeMs }).begun
          : otpEnrollment(args).begun,
      );
    }
    await forgetEnrollmentStart(db, deviceId);
  }
  return overdue.length;
}
