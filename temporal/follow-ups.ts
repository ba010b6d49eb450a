import { noticesOf } from "../activities/notify.ts";
import type { Config } from "../config.ts";
import type { Db } from "../store/postgres/connect.ts";
import type { AuditEvent } from "../store/postgres/schema.ts";
import { deliveries } from "./webhook-follow-ups.ts";

/** A workflow that an event begins; its id, made from the event's, keeps it from beginning twice. */
export type FollowUp = {
  /** The workflow's type. */
  type: string;
  workflowId: string;
  args: object;
  /** What operators read in its line. */
  summary: string;
  /** What it begins with, as `MfaState`. */
  state?: string;
};

/** What each of these events begins. */
export async function followUps(
  deps: { db: Db; config: Config },
  events: readonly AuditEvent[],
): Promise<{ event: AuditEvent; followUp: FollowUp }[]> {
  const deliveriesOf = await deliveries(deps, events);
  return events.flatMap((event) =>
    [...noticesOf(event), ...deliveriesOf(event)].map((followUp) => ({ event, followUp })),
  );
}
