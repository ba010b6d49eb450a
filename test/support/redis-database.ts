import { createClient } from "redis";
import { inject } from "vitest";
import { connectRedis } from "../../store/redis/connect.ts";

/** Redis has 16 databases by default. Database 0 is for tests that can share one. */
const DATABASES = 15;

type Own = { url: string; giveBack(): Promise<void> };

/** An empty Redis database, or cluster, for one test file alone until the file gives it back. */
export async function ownRedisDatabase(): Promise<Own> {
  const cluster = inject("redisClusterUrl");
  if (cluster) return wholeCluster(cluster);
  const shared = await connect(inject("redisUrl"));
  for (let number = 1; number <= DATABASES; number++) {
    const claim = `test:database:${number}`;
    if (!(await shared.set(claim, process.pid, { condition: "NX" }))) continue;
    const url = new URL(inject("redisUrl"));
    url.pathname = `/${number}`;
    await flush(url.href);
    return {
      url: url.href,
      async giveBack() {
        await flush(url.href);
        await shared.del(claim);
        await shared.close();
      },
    };
  }
  await shared.close();
  throw new Error("Every Redis database is in use: some test keeps its stack without stop()");
}

/** The whole cluster: tests on a cluster run one file at a time. */
async function wholeCluster(url: string): Promise<Own> {
  const redis = await connectRedis(url, () => {});
  await redis.flushAll();
  await redis.close();
  return { url, async giveBack() {} };
}

async function flush(url: string) {
  const client = await connect(url);
  await client.flushDb();
  await client.close();
}

async function connect(url: string) {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  return client;
}
