import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { afterAll, beforeAll, inject } from "vitest";
import { type Activities, createActivities } from "../../activities/activities.ts";
import type { ActivityDeps } from "../../activities/deps.ts";
import { loadConfig } from "../../config.ts";
import type { Sms } from "../../providers/sms/sms.ts";
import { newId } from "../../store/ids.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { database } from "../store/postgres/database.ts";
import { BEGINNING, environmentOf } from "../support/stack.ts";

// The default logger would print each failure that a test provokes.
const logger = new DefaultLogger("ERROR");

/** The activities over real stores, with a readable phone and log, for one test file. */
export function useActivities() {
  const pools = database("postgres");
  const sent: Sms[] = [];
  const logged: unknown[][] = [];
  let now = BEGINNING;
  const deps = {
    clock: { now: () => now },
    sms: {
      async send(sms: Sms) {
        sent.push(sms);
        return { provider: "test" };
      },
    },
    log: { warn: (...line: unknown[]) => void logged.push(line) },
  } as ActivityDeps;
  beforeAll(async () => {
    const redis = await connectRedis(inject("redisUrl"), () => {});
    const nowhere = { address: "127.0.0.1:1", namespace: "none" };
    const config = loadConfig(environmentOf(pools.url, inject("redisUrl"), nowhere));
    Object.assign(deps, { db: pools.db, redis, config });
  });
  afterAll(() => deps.redis?.close());

  return {
    deps,
    sent,
    logged,
    advance(ms: number) {
      now += ms;
    },
    /**
     * Performs an activity as a worker does. A second call with the same `workflowId` is a retry.
     */
    perform<Name extends keyof Activities>(
      name: Name,
      args: Parameters<Activities[Name]>[0],
      { workflowId = newId(), ...others }: Partial<ActivityDeps> & { workflowId?: string } = {},
    ) {
      const activity = createActivities({ ...deps, ...others })[name];
      const execution = { workflowExecution: { workflowId, runId: "run" } };
      const environment = new MockActivityEnvironment(execution, { logger });
      const done = environment.run(activity as (args: unknown) => Promise<unknown>, args);
      return done as ReturnType<Activities[Name]>;
    },
    /** The types of the user's audit events, newest first, without those of the test's set-up. */
    async eventsOf({ userId }: { userId: string }) {
      const { events } = await listEvents(deps.db, { userId, limit: 20 });
      return events.map(({ type }) => type).filter((type) => type !== "happened");
    },
  };
}
