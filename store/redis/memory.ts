import type { Redis } from "./connect.ts";

/** The memory of one Redis server, in bytes. `max` is `maxmemory`, or else the machine's memory. */
export type RedisMemory = { node: string; used: number; max: number };

type Informed = { info(section: string): Promise<string> };
type Master = { address: string };
type Cluster = { masters: Master[]; nodeClient(master: Master): Promise<Informed> };

/** The memory of the server, or of each master of a cluster. A node that does not answer is left out. */
export async function redisMemory(redis: Redis): Promise<RedisMemory[]> {
  const read = await Promise.allSettled(
    nodesOf(redis).map(async ({ node, client }) =>
      memoryOf(node, await (await client).info("memory")),
    ),
  );
  return read.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function nodesOf(redis: Redis | (Redis & Cluster)) {
  if (!("masters" in redis)) return [{ node: "redis", client: redis as Informed }];
  return redis.masters.map((master) => ({
    node: master.address,
    client: redis.nodeClient(master),
  }));
}

function memoryOf(node: string, info: string): RedisMemory {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return {
    node,
    used: field("used_memory"),
    max: field("maxmemory") || field("total_system_memory"),
  };
}
