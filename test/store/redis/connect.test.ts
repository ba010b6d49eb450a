import { afterAll, expect, inject, test, vi } from "vitest";
import { newId } from "../../../store/ids.ts";
import { connectRedis, type Redis } from "../../../store/redis/connect.ts";
import { isUnavailable } from "../../../store/unavailable.ts";
import { limit } from "../../support/limits.ts";
import { wireTo } from "../wire.ts";

const closing: (() => unknown)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

async function wired() {
  const wire = await wireTo(inject("redisUrl"));
  const errors: Error[] = [];
  const redis = await connectRedis(wire.url, (error) => errors.push(error));
  closing.push(
    () => redis.destroy(),
    () => wire.cut(),
  );
  return { wire, redis, errors };
}

/** Sends ten commands at once; all fail without Redis. */
async function expectOutage(redis: Redis) {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => redis.get(`mfa:{${newId()}}:nothing`)),
  );
  for (const outcome of outcomes) {
    expect(outcome.status).toBe("rejected");
    expect(isUnavailable((outcome as PromiseRejectedResult).reason)).toBe(true);
  }
}

const expectRecovery = (redis: Redis) =>
  vi.waitFor(async () => expect(await redis.ping()).toBe("PONG"), { timeout: limit(20_000) });

test("a lost connection fails commands at once, reports it, and comes back by itself", async () => {
  const { wire, redis, errors } = await wired();
  const waiting = redis.blPop(`mfa:{${newId()}}:nothing`, 0).catch((error) => error);
  await wire.cut();
  expect(isUnavailable(await waiting)).toBe(true);
  await expectOutage(redis);
  expect(errors.some(isUnavailable)).toBe(true);
  await wire.heal();
  await expectRecovery(redis);
});

test("a silent Redis fails commands instead of queueing them, and comes back by itself", async () => {
  const { wire, redis } = await wired();
  wire.silence();
  await expectOutage(redis);
  await expectOutage(redis);
  await wire.heal();
  await expectRecovery(redis);
});

test("a client starts without Redis and works once it is there", async () => {
  const wire = await wireTo(inject("redisUrl"));
  await wire.cut();
  const redis = await connectRedis(wire.url, () => {});
  closing.push(
    () => redis.destroy(),
    () => wire.cut(),
  );
  await expectOutage(redis);
  await wire.heal();
  await expectRecovery(redis);
});

test("a closed client stays closed", async () => {
  const { redis } = await wired();
  await redis.close();
  await expectOutage(redis);
  expect(redis.isOpen).toBe(false);
});
