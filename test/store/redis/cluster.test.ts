import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newId, newOwnedId } from "../../../store/ids.ts";
import { connectRedis, type Redis } from "../../../store/redis/connect.ts";
import { redisMemory } from "../../../store/redis/memory.ts";
import { openChallenge, readChallenge } from "../../../store/redis/second-step/challenges.ts";
import { isUnavailable } from "../../../store/unavailable.ts";
import { limit } from "../../support/limits.ts";
import { type RedisCluster, startRedisCluster } from "../../support/redis-cluster.ts";
import { until } from "../../support/until.ts";

let cluster: RedisCluster;
const open: Redis[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(async () => {
  for (const redis of open) redis.destroy();
  await cluster.stop();
});

async function connect(errors: Error[] = []) {
  const redis = await connectRedis(cluster.url, (error) => errors.push(error));
  open.push(redis);
  return redis;
}

/** Sixty keys, so that each of the three nodes has some. */
const keys = Array.from({ length: 60 }, () => `mfa:{${newId()}}:nothing`);

const readAll = (redis: Redis) => Promise.allSettled(keys.map((key) => redis.get(key)));

const failures = (outcomes: PromiseSettledResult<unknown>[]) =>
  outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));

const expectRecovery = (redis: Redis) =>
  vi.waitFor(async () => expect(failures(await readAll(redis))).toEqual([]), {
    timeout: limit(20_000),
  });

test("a URL with one node reaches them all; with a wrong password it reaches none", async () => {
  const one = cluster.url.replace(/,.*/, "");
  const redis = await connectRedis(one, () => {});
  open.push(redis);
  expect(failures(await readAll(redis))).toEqual([]);
  const errors: Error[] = [];
  const stranger = await connectRedis(one.replace(/:[^:@]+@/, ":wrong@"), (e) => errors.push(e));
  open.push(stranger);
  expect(failures(await readAll(stranger)).every(isUnavailable)).toBe(true);
  expect(errors.map(String).join()).toContain("WRONGPASS");
});

test("the memory of each node is known by its address", async () => {
  const memory = await redisMemory(await connect());
  expect(new Set(memory.map(({ node }) => node)).size).toBe(3);
  for (const { used, max } of memory) {
    expect(used).toBeGreaterThan(100_000);
    expect(max).toBeGreaterThan(used);
  }
});

test("a script runs on the node of its keys, wherever they are", async () => {
  const redis = await connect();
  for (let count = 0; count < 30; count++) {
    const userId = newId();
    const challengeId = newOwnedId(userId);
    const epochs = { user: 0, account: 0, accountKeys: 0 };
    const times = { now: 0, expiresAt: 1000 };
    await openChallenge(redis, {
      hasKey: false,
      challengeId,
      userId,
      accountId: newId(),
      epochs,
      ...times,
    });
    expect(await readChallenge(redis, challengeId)).toMatchObject({ userId, epochs });
  }
});

describe.each([
  { fault: "killed", begin: (n: Node) => n.kill(), end: (n: Node) => n.start() },
  {
    fault: "silent",
    begin: (n: Node) => n.signal("SIGSTOP"),
    end: (n: Node) => n.signal("SIGCONT"),
  },
])("a node that is $fault", ({ begin, end }) => {
  test("fails its commands as an outage, and comes back by itself", async () => {
    const redis = await connect();
    await expectRecovery(redis);
    const [node] = cluster.nodes as [Node];
    await begin(node);
    // The first commands time out. After that, all commands fail at once.
    const failed = await until(
      async () => failures(await readAll(redis)),
      ({ length }) => length > 0,
    );
    expect(failed.filter((error) => !isUnavailable(error))).toEqual([]);
    await expect(redis.ping()).rejects.toSatisfy(isUnavailable);
    await end(node);
    await expectRecovery(redis);
    expect(await redis.ping()).toBe("PONG");
  });

  test("is waited for by a client that starts meanwhile", async () => {
    const [node] = cluster.nodes as [Node];
    await begin(node);
    const redis = await connect();
    const failed = await until(
      async () => failures(await readAll(redis)),
      ({ length }) => length > 0,
    );
    expect(failed.filter((error) => !isUnavailable(error))).toEqual([]);
    await end(node);
    await expectRecovery(redis);
  });
});

test("a client that starts without any node works once they are there; once closed it stays closed", async () => {
  for (const node of cluster.nodes) await node.kill();
  const redis = await connect();
  expect(failures(await readAll(redis)).every(isUnavailable)).toBe(true);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await expectRecovery(redis);
  await redis.close();
  expect(failures(await readAll(redis))).toHaveLength(keys.length);
  expect(redis.isOpen).toBe(false);
});

type Node = RedisCluster["nodes"][number];
