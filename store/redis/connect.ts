import { createClient } from "redis";
import { scripts } from "./scripts.ts";

const CONNECT_MS = 1_000;
const RECONNECT_MS = 250;
const PING_MS = 500;
const ANSWER_MS = 1_000;

function create(url: string) {
  return createClient({
    url,
    scripts,
    // While Redis is away commands fail at once instead of waiting for it in a queue.
    disableOfflineQueue: true,
    // A timer for each command costs more than the command; `watch` bounds how long one waits.
    commandOptions: { timeout: undefined },
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: RECONNECT_MS },
  });
}

export type Redis = ReturnType<typeof create>;

/**
 * A client that reconnects by itself for ever. Resolves once connected or once the first attempt
 * has failed. Every loss of the connection is told to `onError`; commands then reject at once, and
 * within about 1.5 s when Redis has gone silent. `close()` ends it.
 */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<Redis> {
  const redis = create(url);
  redis.on("error", onError);
  await new Promise<void>((resolve) => {
    redis.once("error", () => resolve());
    redis.connect().then(() => resolve(), onError);
  });
  watch(redis, onError);
  return redis;
}

/**
 * The client does not bound how long a command waits for its answer. So a ping that is not answered
 * in time ends the connection and every command on it.
 */
function watch(redis: Redis, onError: (error: Error) => void) {
  let pinging = false;
  const timer = setInterval(async () => {
    if (!redis.isOpen) {
      clearInterval(timer);
    }
    if (!redis.isReady || pinging) {
      return;
    }
    pinging = true;
    let answered = false;
    const late = setTimeout(() => {
      // A reply that this process was too busy to read is read before this runs.
      setImmediate(() => {
        if (!answered && redis.isOpen) {
          redis.destroy();
          redis.connect().catch(onError);
        }
      });
    }, ANSWER_MS);
    await redis.ping().catch(() => {});
    answered = true;
    pinging = false;
    clearTimeout(late);
  }, PING_MS);
  timer.unref();
}
