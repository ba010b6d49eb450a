import { afterEach, expect, test } from "vitest";
import { connectRedis } from "../../../../store/redis/connect.ts";
import { readGeneration, writeGeneration } from "../../../../store/redis/sessions/generation.ts";
import { isUnavailable } from "../../../../store/unavailable.ts";
import { ownRedisDatabase } from "../../../support/redis-database.ts";
import { until } from "../../../support/until.ts";
import { wireTo } from "../../wire.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** A client whose connection a test can cut. */
async function connected() {
  // Other files share database 0, and its generation.
  const own = await ownRedisDatabase();
  const wire = await wireTo(own.url);
  const redis = await connectRedis(wire.url, () => {});
  open.push({ close: async () => redis.destroy() }, { close: wire.cut }, { close: own.giveBack });
  return { redis, wire };
}

const untilAway = (redis: { ping(): Promise<unknown> }) =>
  until(
    () => redis.ping().catch(isUnavailable),
    (answer) => answer === true,
  );

test("while its node is away, the last generation that was read counts, for longer than a second", async () => {
  const { redis, wire } = await connected();
  await writeGeneration(redis, "one");
  expect(await readGeneration(redis)).toBe("one");
  await wire.cut();
  await untilAway(redis);
  const start = performance.now();
  await until(
    async () => {
      expect(await readGeneration(redis)).toBe("one");
      return performance.now() - start;
    },
    (ms) => ms > 2_200,
  );
});

test("a process that has never read a generation lets nobody in", async () => {
  const { redis, wire } = await connected();
  await wire.cut();
  await untilAway(redis);
  await expect(readGeneration(redis)).rejects.toSatisfy(isUnavailable);
});
