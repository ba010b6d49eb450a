import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { connectRedis } from "../store/redis/connect.ts";
import { type Launch, waitUntilReady } from "./processes.ts";

const START_MS = 30_000;

/**
 * Starts a Redis on 127.0.0.1 that keeps its data in `folder` (append-only file, synced each
 * second unless told otherwise) and resolves with its URL when it answers. The password is a new
 * one at each start unless one is given.
 */
export async function startRedis(
  launch: Launch,
  options: {
    program: string;
    folder: string;
    port: number;
    logFile: string;
    password?: string;
    fsync?: "everysec" | "always";
    /** The limit of its memory; a full Redis refuses what would need more. */
    maxMemory?: string;
    /** Further lines of its configuration. */
    more?: string[];
  },
): Promise<string> {
  const {
    program,
    folder,
    port,
    logFile,
    fsync = "everysec",
    maxMemory = "512mb",
    more = [],
  } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { password = randomBytes(24).toString("base64url") } = options;
  const configuration = [
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${JSON.stringify(folder)}`,
    "daemonize no",
    "appendonly yes",
    `appendfsync ${fsync}`,
    'save ""',
    // A cache would forget sessions and counters under memory pressure; this is a store.
    `maxmemory ${maxMemory}`,
    "maxmemory-policy noeviction",
    `requirepass ${password}`,
    ...more,
  ].join("\n");
  // Through standard input, so that the password is in no file and in no list of processes.
  const child = launch({ name: "Redis", program, args: ["-"], input: configuration, logFile });
  const url = `redis://:${password}@127.0.0.1:${port}`;
  await waitUntilReady(child, () => pingRedis(url), START_MS);
  return url;
}

/** Resolves when the Redis answers, fails at once when it does not. */
export async function pingRedis(url: string): Promise<void> {
  let trouble: Error | undefined;
  const redis = await connectRedis(url, (error) => {
    trouble = error;
  });
  try {
    await redis.ping();
  } catch (error) {
    throw trouble ?? error;
  } finally {
    redis.destroy();
  }
}
