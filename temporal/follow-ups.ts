import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { enrollments } from "./enrollment-follow-ups.ts";
import { noticesOf } from "./notice-follow-ups.ts";
import type { FollowUp } from "./start.ts";
import { deliveries } from "./webhook-follow-ups.ts";

/** The workflows that each of these events starts. */
export async function followUps(
  deps: { db: Db; config: Config },
  events: readonly AuditEvent[],
): Promise<FollowUp[]> {
  const [deliveriesOf, enrollmentsOf] = await Promise.all([
    deliveries(deps, events),
    enrollments(deps, events),
  ]);
  return events.flatMap((event) => [
    ...enrollmentsOf(event),
    ...noticesOf(event),
    ...deliveriesOf(event),
  ]);
}
