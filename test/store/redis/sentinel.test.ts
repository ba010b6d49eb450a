import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newId } from "../../../store/ids.ts";
import { connectRedis, type Redis } from "../../../store/redis/connect.ts";
import { sentinelsOf } from "../../../store/redis/sentinel.ts";
import { isUnavailable } from "../../../store/unavailable.ts";
import { limit } from "../../support/limits.ts";
import { type RedisSentinels, startRedisSentinels } from "../../support/redis-sentinels.ts";
import { until } from "../../support/until.ts";

const key = `mfa:{${newId()}}:nothing`;
let sentinels: RedisSentinels;
const open: Redis[] = [];

beforeAll(async () => {
  sentinels = await startRedisSentinels();
}, limit(60_000));
afterAll(async () => {
  for (const redis of open) redis.destroy();
  await sentinels.stop();
});

async function connect(errors: Error[] = [], url = sentinels.url) {
  const redis = await connectRedis(url, (error) => errors.push(error));
  open.push(redis);
  return redis;
}

const failureOf = (redis: Redis) =>
  redis.set(key, "x").then(
    () => undefined,
    (error: unknown) => error,
  );

const expectRecovery = (redis: Redis) =>
  vi.waitFor(async () => expect(await redis.set(key, "x")).toBe("OK"), {
    timeout: limit(30_000),
  });

describe("a URL", () => {
  test("names Sentinels, their master, and two passwords", () => {
    expect(
      sentinelsOf("rediss+sentinel://me:p%40ss@one:26379,two:26380/main?sentinelPassword=s%26t"),
    ).toEqual({
      sentinels: ["rediss://one:26379", "rediss://two:26380"],
      scheme: "rediss",
      master: "main",
      username: "me",
      password: "p@ss",
      sentinelPassword: "s&t",
    });
  });

  test("of another kind names none", () => {
    for (const url of ["redis://one:6379", "redis+cluster://one:1,two:2", "redis+sentinel://one:1"])
      expect(sentinelsOf(url)).toBeUndefined();
  });
});

test("one Sentinel is enough; with a wrong name or password there is no master, and the log says why", async () => {
  const [one] = sentinels.sentinels as [Sentinel];
  const single = sentinels.url.replace(/@[^/]+/, `@127.0.0.1:1,127.0.0.1:${one.port}`);
  await expectRecovery(await connect([], single));
  const wrong = {
    "No such master": sentinels.url.replace("/second-step?", "/other?"),
    WRONGPASS: sentinels.url.replace(/sentinelPassword=.*/, "sentinelPassword=wrong"),
  };
  for (const [words, url] of Object.entries(wrong)) {
    const errors: Error[] = [];
    expect(await failureOf(await connect(errors, url))).toSatisfy(isUnavailable);
    expect(errors.map(String).join()).toContain(words);
    expect(errors.map(String).join()).toContain(`127.0.0.1:${one.port}`);
  }
});

test("a client that starts without Sentinels works once they are there; once closed it stays closed", async () => {
  for (const { kill } of sentinels.sentinels) await kill();
  const redis = await connect();
  expect(await failureOf(redis)).toSatisfy(isUnavailable);
  for (const { start } of sentinels.sentinels) start();
  await expectRecovery(redis);
  await redis.close();
  expect(redis.isOpen).toBe(false);
  expect(await failureOf(redis)).toSatisfy(isUnavailable);
});

test("a client that knows the master does not need the Sentinels", async () => {
  const redis = await connect();
  await expectRecovery(redis);
  for (const { kill } of sentinels.sentinels) await kill();
  expect(await redis.set(key, "x")).toBe("OK");
  for (const { start } of sentinels.sentinels) start();
});

test(
  "a silent master fails commands as an outage until the replica takes over, and is not believed later",
  async () => {
    const redis = await connect();
    await expectRecovery(redis);
    await sentinels.replicated();
    sentinels.master.signal("SIGSTOP");
    // The first commands wait until the connection is given up. After that, all fail at once.
    expect(await failureOf(redis)).toSatisfy(isUnavailable);
    await expectRecovery(redis);
    await redis.set(key, "after the fail-over");
    sentinels.master.signal("SIGCONT");
    await until(sentinels.isDemoted, Boolean);
    expect(await redis.get(key)).toBe("after the fail-over");
    expect(await redis.set(key, "x")).toBe("OK");
  },
  limit(60_000),
);

type Sentinel = RedisSentinels["sentinels"][number];
