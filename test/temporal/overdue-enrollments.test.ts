import { sql } from "drizzle-orm";
import { afterEach, expect, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { enrollmentStarts } from "../../store/postgres/schema.ts";
import { startOverdueEnrollments } from "../../temporal/overdue-enrollments.ts";
import { addedSms, database, newUser } from "../store/postgres/database.ts";
import { limit } from "../support/limits.ts";
import { environmentOf } from "../support/stack.ts";

const pools = database("postgres");

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** A device whose gateway died before its enrollment began, so many seconds ago. */
async function overdue(secondsAgo: number): Promise<string> {
  const { id: deviceId } = await addedSms(pools.db, await newUser(pools.db));
  const dueAt = sql`now() - ${secondsAgo} * interval '1 second'`;
  await pools.db.insert(enrollmentStarts).values({ deviceId, dueAt });
  return deviceId;
}

/** A worker whose starts of these devices' enrollments fail. Returns whose it tried, in order. */
function worker(failing: (deviceId: string) => boolean) {
  const tried: string[] = [];
  const config = loadConfig(
    environmentOf(pools.url, "redis://nowhere", { address: "nowhere", namespace: "none" }),
  );
  const overdueEnrollments = { ...config.limits.overdueEnrollments, pollMs: 50, longestWaitMs: 50 };
  const stop = startOverdueEnrollments({
    db: pools.db,
    config: {
      ...config,
      limits: { ...config.limits, overdueEnrollments: overdueEnrollments as never },
    },
    start: async ({ args }) => {
      const { deviceId } = args as { deviceId: string };
      tried.push(deviceId);
      if (failing(deviceId)) throw new Error("no such namespace");
    },
    log: { info() {}, warn() {} },
  });
  ending.push(stop);
  return tried;
}

const waiting = async () =>
  (await pools.db.select().from(enrollmentStarts)).map(({ deviceId }) => deviceId).sort();

test("enrollments whose start always fails keep nobody waiting behind them, and come again later", async () => {
  const hopeless = [await overdue(600), await overdue(500), await overdue(400)];
  const behind = [await overdue(300), await overdue(200)];
  const tried = worker((id) => hopeless.includes(id));
  await expect.poll(waiting, { timeout: limit(10_000) }).toEqual([...hopeless].sort());
  for (const id of behind) expect(tried.filter((one) => one === id)).toHaveLength(1);
  // Each failed once, and is not tried again at once.
  expect(tried.filter((id) => hopeless.includes(id)).sort()).toEqual([...hopeless].sort());
  const rows = await pools.db.select().from(enrollmentStarts);
  for (const { dueAt } of rows) {
    const waitMs = dueAt.getTime() - Date.now();
    expect(waitMs).toBeGreaterThan(30_000);
    expect(waitMs).toBeLessThanOrEqual(3_600_000);
  }
  await pools.db.delete(enrollmentStarts);
});

test("while Temporal is away a round tries few of them", async () => {
  for (let n = 0; n < 10; n++) await overdue(600 + n);
  const tried = worker(() => true);
  await expect.poll(() => tried.length).toBeGreaterThan(0);
  await ending.pop()?.();
  expect(tried.length).toBeLessThanOrEqual(4);
  await pools.db.delete(enrollmentStarts);
});
