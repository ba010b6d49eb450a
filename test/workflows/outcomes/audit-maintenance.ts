import { newId } from "../../../store/ids.ts";
import { chainEvents } from "../../../store/postgres/events/event-chain.ts";
import { recordEvent } from "../../../store/postgres/events/events.ts";
import { setRetention } from "../../../store/postgres/roles.ts";
import { eventQueue } from "../../../store/postgres/schema.ts";
import { AUDIT_SCHEDULE, TASK_QUEUE } from "../../../workflows/ids.ts";
import { olderMonths } from "../../support/event-months.ts";
import { otherType } from "../../support/event-types.ts";
import type { World } from "../world.ts";
import type { Outcome } from "./outcome.ts";

const LONG_AGO = new Date("2024-01-15T12:00:00Z");

/** Runs the upkeep as the schedule does. */
const maintain = ({ temporal }: World) =>
  temporal.client.workflow.start("auditMaintenance", {
    taskQueue: TASK_QUEUE,
    workflowId: `${AUDIT_SCHEDULE}-${newId()}`,
  });

const happenLongAgo = ({ db }: World) =>
  recordEvent(db, {
    ...{ key: newId(), at: LONG_AGO, accountId: newId() },
    type: otherType("happened"),
  });

/** The ways in which the upkeep of the audit trail ends, each after the one before. */
export const maintenanceOutcomes: Record<string, Outcome> = {
  "upkeep without events whose time is over": maintain,
  async "upkeep that drops events whose time is over"(world) {
    const url = world.config.DATABASE_URL;
    await olderMonths(url, LONG_AGO, 1);
    await setRetention(url, 3);
    await happenLongAgo(world);
    while ((await chainEvents(world.db, 500)) > 0);
    await world.db.delete(eventQueue);
    return maintain(world);
  },
  async "upkeep that keeps events which are not chained yet"(world) {
    await happenLongAgo(world);
    return maintain(world);
  },
};
