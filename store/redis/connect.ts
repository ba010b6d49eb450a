import { createClient } from "redis";
import { clusterOf, connectCluster } from "./cluster.ts";
import { firstAttempt } from "./first-attempt.ts";
import { redisOptions } from "./options.ts";
import { connectBySentinels, sentinelsOf } from "./sentinel.ts";
import { watch } from "./watch.ts";

function create(url: string) {
  return createClient({ url, ...redisOptions });
}

/**
 * A client of one server, of the master of Sentinels, or of a cluster. The type is only the server's: a union of both makes the
 * type check four times slower, and we use only commands that both have.
 */
export type Redis = ReturnType<typeof create>;

/**
 * A client of a server, or of a cluster or a master of Sentinels if the URL names that. It reconnects by itself for ever.
 * Resolves once connected, or once the first attempt has failed. Calls `onError` for every lost
 * connection; commands then fail at once, and within about 1.5 s if Redis has gone silent.
 * `close()` ends it.
 */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<Redis> {
  const cluster = clusterOf(url);
  if (cluster) return (await connectCluster(cluster, onError)) as unknown as Redis;
  const sentinels = sentinelsOf(url);
  if (sentinels) return (await connectBySentinels(sentinels, onError)) as Redis;
  const redis = create(url);
  redis.on("error", onError);
  await firstAttempt(redis, onError);
  watch(() => (redis.isOpen ? [redis] : undefined), onError);
  return redis;
}
