import { and, eq, sql } from "drizzle-orm";
import type { RedisMark } from "../redis/sessions/generation.ts";
import type { Db } from "./connect.ts";
import { redisGeneration } from "./schema.ts";

/** What PostgreSQL remembers of the Redis that it works with. */
export type KnownRedis = RedisMark & {
  /** For how many ms no process has seen that Redis's heart beat. */
  silentMs: number;
};

/** Why a generation began: what was found, or that an operator asked for it. */
export type GenerationCause =
  | "redis_empty"
  | "redis_older"
  | "another_redis"
  | "postgresql_older"
  | "by_hand";

const known = {
  generation: redisGeneration.generation,
  beats: redisGeneration.beats,
  silentMs: sql<number>`extract(epoch from now() - ${redisGeneration.beatenAt})::float8 * 1000`,
};

/** The Redis that PostgreSQL remembers. With `lock`, its row stays locked until the transaction ends. */
export async function readKnownRedis(db: Db, lock = false): Promise<KnownRedis> {
  const query = db.select(known).from(redisGeneration);
  const [row] = await (lock ? query.for("update") : query);
  if (!row) throw new Error("The table redis_generation has lost its row");
  return row;
}

/** When and why the newest generation began; undefined if the first one still lasts. */
export async function newestGeneration(
  db: Db,
): Promise<{ cause: string; begunAt: Date } | undefined> {
  const { cause, begunAt } = redisGeneration;
  const [row] = await db.select({ cause, begunAt }).from(redisGeneration);
  return row?.cause && row.begunAt ? { cause: row.cause, begunAt: row.begunAt } : undefined;
}

/** Makes PostgreSQL remember a generation that has just begun, and why it did. */
export async function replaceKnownRedis(
  tx: Db,
  { generation, cause }: { generation: string; cause: GenerationCause },
): Promise<void> {
  const changed = { generation, beats: 0, cause, begunAt: sql`now()`, beatenAt: sql`now()` };
  await tx.update(redisGeneration).set(changed);
}

/**
 * Takes the next beat, at most one in `everyMs` by the database's clock, however many processes ask,
 * and remembers how many beats Redis had before it. Answers whether the caller has it. One statement:
 * if it fails, Redis gets no beat either, so Redis never runs ahead of what is known.
 */
export async function takeBeat(
  db: Db,
  everyMs: number,
  { generation, beats }: RedisMark,
): Promise<boolean> {
  const due = sql`${redisGeneration.beatenAt} <= now() - ${everyMs} * interval '1 millisecond'`;
  const taken = await db
    .update(redisGeneration)
    .set({
      beatenAt: sql`now()`,
      beats: sql`greatest(${redisGeneration.beats}, ${beats}::bigint)`,
    })
    .where(and(due, eq(redisGeneration.generation, generation)))
    .returning({ beats: redisGeneration.beats });
  return taken.length > 0;
}
