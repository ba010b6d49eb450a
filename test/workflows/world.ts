import { afterEach, inject } from "vitest";
import { createActivities } from "../../activities/activities.ts";
import { loadConfig } from "../../config.ts";
import type { MailGateway } from "../../providers/mail/mail.ts";
import { connectDatabase, migrateDatabase } from "../../store/postgres/connect.ts";
import { listEvents } from "../../store/postgres/events.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { freshDatabase } from "../support/databases.ts";
import { BEGINNING, environmentOf } from "../support/stack.ts";
import { ownTemporal, startWorker, type Time } from "../support/temporal.ts";
import { used } from "../support/used.ts";
import { flowsOn } from "./flows.ts";
import { testMailbox } from "./test-mailbox.ts";
import { testPhone } from "./test-phone.ts";

/**
 * Workflows with their real activities over real stores, for one test file. There is no gateway:
 * tests send what it would send, and only the phone and the mailbox are not real ones.
 *
 * The time-skipping server knows less than a real one: a workflow that gives an activity up just
 * when it completes hangs there, and so does one that is signalled after its end, or whose worker
 * is gone. What is about these runs on the dev server.
 */
export function useWorld(time: Time) {
  const world = used(() => startWorld(time));
  afterEach(() => world.recover());
  return world;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

async function startWorld(time: Time) {
  const [own, temporal] = await Promise.all([freshDatabase("postgres"), ownTemporal(time)]);
  await migrateDatabase(own.url);
  const redisUrl = inject("redisUrl");
  const config = loadConfig(environmentOf(own.url, redisUrl, temporal));
  const database = connectDatabase(own.url);
  const redis = await connectRedis(redisUrl, () => {});
  let now = BEGINNING;
  const clock = { now: () => now };
  const phone = testPhone();
  const mailbox = testMailbox();
  const deps = {
    ...{ db: database.db, redis, sms: phone.gateway, config, clock, log: { warn() {} } },
    mail: mailbox.gateway as MailGateway | undefined,
  };
  const startOwnWorker = (changed: Partial<typeof deps> = {}) =>
    startWorker(temporal, createActivities({ ...deps, ...changed }));
  let stopWorker = await startOwnWorker();

  return {
    ...deps,
    temporal,
    phone,
    mailbox,
    ...flowsOn(deps, temporal.client),
    /** Lets time pass, for the activities and for the workflows' timers. */
    async pass(ms: number) {
      now += ms;
      await temporal.skip(ms);
    },
    /** The types of what the audit tells of a user's flows. */
    async eventsOf({ userId }: { userId: string }) {
      const { events } = await listEvents(database.db, { userId, limit: 10 });
      return events.map(({ type }) => type).filter((type) => type !== "happened");
    },
    /** Does something while no worker runs; another worker, perhaps over other parts, goes on. */
    async withoutWorker(work: () => Promise<void>, changed?: Partial<typeof deps>) {
      await stopWorker();
      await work();
      stopWorker = await startOwnWorker(changed);
    },
    /** Phone and mailbox take everything again. */
    recover() {
      phone.recover();
      mailbox.recover();
    },
    async stop() {
      await stopWorker();
      await Promise.all([database.close(), redis.close()]);
      await Promise.all([temporal.stop(), own.drop()]);
    },
  };
}
