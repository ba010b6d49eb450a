import { heartbeat } from "@temporalio/activity";
import { ApplicationFailure } from "@temporalio/common";
import { checkArchive, writeArchive } from "../store/events/event-archive.ts";
import { connectDatabase, type Db } from "../store/postgres/connect.ts";
import {
  countPartition,
  dropPartition,
  duePartitions,
  getPartition,
  linkedEvents,
  makeMonths,
  PartitionStays,
} from "../store/postgres/events/event-partitions.ts";
import { forgetKeys } from "../store/postgres/events/events.ts";
import { withTimeFor } from "../store/postgres/long-statements.ts";
import type { EventPartition } from "../store/postgres/schema.ts";
import { MINUTE_MS } from "../units.ts";
import type { ActivityDeps } from "./deps.ts";

type Config = ActivityDeps["config"];

/** The longest statement: to drop a month of events with its links. */
const PATIENCE_MS = 10 * MINUTE_MS;

/** The upkeep of the audit trail. Each step may be repeated. */
export function eventActivities({ config, clock }: ActivityDeps) {
  const { monthsAhead, keysMs } = config.limits.events;

  return {
    /** Makes partitions ahead and forgets old keys. Answers the partitions that are to go. */
    async keepEvents(): Promise<string[]> {
      return patiently(config, async (db) => {
        await inLong(db, (tx) => makeMonths(tx, monthsAhead));
        await inLong(db, (tx) => forgetKeys(tx, new Date(clock.now() - keysMs)));
        return duePartitions(db);
      });
    },

    /** Drops a partition whose time is over. Before that exports it, if there is a folder. */
    async dropEvents(name: string): Promise<void> {
      await patiently(config, async (db) => {
        const partition = await getPartition(db, name);
        if (!partition) return;
        const folder = config.EVENTS_EXPORT_DIR;
        const count = folder
          ? await archive(db, partition, folder)
          : await inLong(db, (tx) => countPartition(tx, partition));
        await inLong(db, (tx) => dropPartition(tx, name, count));
      }).catch(unlessItStays);
    },
  };
}

/** Repeating does not help until somebody has looked at the events. */
function unlessItStays(error: unknown): never {
  if (!(error instanceof PartitionStays)) throw error;
  throw ApplicationFailure.nonRetryable(error.message, "partition_stays");
}

/** Writes the partition's file, checks it, and answers how many events it has. */
async function archive(db: Db, partition: EventPartition, folder: string): Promise<number> {
  const name = `${partition.name}-until-${partition.toAt.toISOString().slice(0, 10)}`;
  const pages = async function* () {
    for await (const page of linkedEvents(db, partition)) {
      heartbeat();
      yield page;
    }
  };
  const written = await writeArchive(folder, name, pages());
  const checked = await checkArchive(folder, name);
  if (checked !== written)
    throw new PartitionStays(`${name} has ${checked} events instead of ${written}`);
  return checked;
}

const inLong = <T>(db: Db, work: (tx: Db) => Promise<T>) => withTimeFor(db, PATIENCE_MS, work);

/** Works on a connection of its own, whose queries may take long. */
async function patiently<T>(config: Config, work: (db: Db) => Promise<T>): Promise<T> {
  const { db, close } = connectDatabase(config.DATABASE_URL, {
    max: 1,
    patienceMs: PATIENCE_MS,
    named: config.DATABASE_NAMED_STATEMENTS,
  });
  const beating = setInterval(heartbeat, 10_000);
  try {
    return await work(db);
  } finally {
    clearInterval(beating);
    await close();
  }
}
