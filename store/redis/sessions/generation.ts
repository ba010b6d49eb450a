import { DoubtfulRedis } from "../../unavailable.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/**
 * Which Redis this is: the generation that the service has given it, and how often its heart has
 * beaten since. An empty Redis has the generation "" and no beats.
 */
export type RedisMark = { generation: string; beats: number };

/** How long a process uses the generation that it has read, in ms. */
const FRESH_MS = 1_000;

/** What this process has not compared with PostgreSQL, or what does not fit. */
const doubtful = new WeakSet<Redis>();

/** Nothing in this Redis counts until `trust`: checks of sessions and logins throw as if it were away. */
export const distrust = (redis: Redis): void => void doubtful.add(redis);

/** This Redis belongs to the service's PostgreSQL. */
export const trust = (redis: Redis): void => void doubtful.delete(redis);

const lastRead = new WeakMap<Redis, { at: number; generation: Promise<string> }>();

/**
 * The current generation, at most a second old. Sessions and logins under way of another one are
 * over. Read once a second and not with each check, because it is one key for the whole service. While
 * its node of a cluster is away, the last one that was read counts: other nodes' sessions go on.
 * Throws an error that `isUnavailable` knows while this Redis is distrusted.
 */
export async function readGeneration(redis: Redis): Promise<string> {
  if (doubtful.has(redis)) throw new DoubtfulRedis("this Redis is not the service's");
  const last = lastRead.get(redis);
  if (last && performance.now() - last.at < FRESH_MS) return last.generation;
  const generation = readMark(redis).then(
    (mark) => mark.generation,
    (error) => {
      if (!last) throw error;
      return last.generation;
    },
  );
  lastRead.set(redis, { at: performance.now(), generation });
  // If none was ever read, the next check asks again.
  generation.catch(() => lastRead.delete(redis));
  return generation;
}

/** What Redis says about itself. */
export async function readMark(redis: Redis): Promise<RedisMark> {
  const { generation = "", beats = "0" } = await redis.hGetAll(keys.generation());
  return { generation, beats: Number(beats) };
}

/**
 * Begins a generation. One command: every session and login under way of the service is over, within
 * a second in other processes.
 */
export async function writeGeneration(redis: Redis, generation: string): Promise<void> {
  await redis.hSet(keys.generation(), { generation, beats: 0 });
  lastRead.delete(redis);
}

/** Counts one more beat of the heart. */
export async function beat(redis: Redis): Promise<void> {
  await redis.hIncrBy(keys.generation(), "beats", 1);
}
