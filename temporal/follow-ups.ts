import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { noticesOf } from "./notice-follow-ups.ts";
import type { FollowUp } from "./start.ts";
import { deliveries } from "./webhook-follow-ups.ts";

/** The workflows that each of these events starts. */
export async function followUps(
  deps: { db: Db; config: Config },
  events: readonly AuditEvent[],
): Promise<FollowUp[]> {
  const deliveriesOf = await deliveries(deps, events);
  return events.flatMap((event) => [...noticesOf(event), ...deliveriesOf(event)]);
}
