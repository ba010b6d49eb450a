import { createClient } from "redis";
import { inject } from "vitest";
import { connectRedis } from "../../store/redis/connect.ts";

/** A Redis has 16 databases unless it is told otherwise; the first is for who needs none alone. */
const DATABASES = 15;

type Own = { url: string; giveBack(): Promise<void> };

/** An empty Redis database, or cluster, that is nobody else's until it is given back. */
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

/** Tests on the cluster run one file after the other. */
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
