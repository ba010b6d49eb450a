import { createClient } from "redis";
import { inject } from "vitest";

/** A Redis has 16 databases unless it is told otherwise; the first is for who needs none alone. */
const DATABASES = 15;

/** An empty Redis database that is nobody else's until it is given back. */
export async function ownRedisDatabase(): Promise<{ url: string; giveBack(): Promise<void> }> {
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
