import { afterEach, inject } from "vitest";
import { createActivities } from "../../activities/activities.ts";
import { loadConfig } from "../../config.ts";
import type { MailGateway } from "../../providers/mail/mail.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { freshDatabase } from "../support/databases.ts";
import { BEGINNING, environmentOf } from "../support/stack.ts";
import { ownTemporal, startWorker, type Time } from "../support/temporal.ts";
import { used } from "../support/used.ts";
import { flowsOn } from "./flows.ts";
import { testMailbox } from "./test-mailbox.ts";
import { testPhone } from "./test-phone.ts";

/**
 * Workflows with their real activities over real stores, for one test file. Only the phone and the
 * mailbox are not real. There is no gateway: tests send what the gateway would send.  On the
 * time-skipping server a workflow hangs if it cancels an activity just as that completes, if it is
 * signalled after its end, or if its worker is gone. Tests about these run on the dev server.
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
    /** Moves the activities' clock and the workflows' timers by `ms`. */
    async pass(ms: number) {
      now += ms;
      await temporal.skip(ms);
    },
    /** The types of the user's audit events. */
    async eventsOf({ userId }: { userId: string }) {
      const { events } = await listEvents(database.db, { userId, limit: 10 });
      return events.map(({ type }) => type).filter((type) => type !== "happened");
    },
    /** Does `work` while no worker runs. Then starts another worker, maybe with changed parts. */
    async withoutWorker(work: () => Promise<void>, changed?: Partial<typeof deps>) {
      await stopWorker();
      await work();
      stopWorker = await startOwnWorker(changed);
    },
    /** Makes the phone and the mailbox accept everything again. */
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
