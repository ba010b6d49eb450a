import { createClient } from "redis";
import { clusterOf, connectCluster } from "./cluster.ts";
import { redisOptions } from "./options.ts";
import { watch } from "./watch.ts";

function create(url: string) {
  return createClient({ url, ...redisOptions });
}

export type Redis = ReturnType<typeof create> | Awaited<ReturnType<typeof connectCluster>>;

/**
 * A client of a server, or of the cluster that the URL tells, which reconnects by itself for ever.
 * Resolves once connected or once the first attempt has failed. Every loss of a connection is told to
 * `onError`; commands then reject at once, and within about 1.5 s when Redis has gone silent.
 * `close()` ends it.
 */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<Redis> {
  const cluster = clusterOf(url);
  if (cluster) return connectCluster(cluster, onError);
  const redis = create(url);
  redis.on("error", onError);
  await new Promise<void>((resolve) => {
    redis.once("error", () => resolve());
    redis.connect().then(() => resolve(), onError);
  });
  watch(() => (redis.isOpen ? [redis] : undefined), onError);
  return redis;
}
