import { setTimeout as sleep } from "node:timers/promises";
import { newId } from "../ids.ts";
import { accountsWithGrace } from "../postgres/accounts.ts";
import type { Db } from "../postgres/connect.ts";
import {
  type GenerationCause,
  type KnownRedis,
  readKnownRedis,
  replaceKnownRedis,
  takeBeat,
} from "../postgres/known-redis.ts";
import type { Redis } from "../redis/connect.ts";
import {
  beat,
  distrust,
  type RedisMark,
  readMark,
  trust,
  writeGeneration,
} from "../redis/sessions/generation.ts";
import { scheduleEnforcement } from "../redis/sessions/revocations.ts";
import { enforcedBy } from "../requirement.ts";
import { isUnavailable } from "../unavailable.ts";

type Stores = { db: Db; redis: Redis };

/** The time between two beats, in ms. A Redis that has lost two of them is an older one. */
const BEAT_MS = 5_000;

/**
 * How many beats Redis may be ahead of PostgreSQL. A crash between the two leaves it one ahead. More
 * than this is a PostgreSQL that was restored to an earlier point.
 */
const MOST_AHEAD = 3;

/**
 * For how long no process may have seen the known heart beat before another Redis takes its place,
 * in ms. A single process with a wrong address, or cut off with an old master, ends no sessions.
 */
const SILENT_MS = 3 * BEAT_MS;

/** This process's Redis is not the one whose heart other processes see beating. */
class OthersBeat extends Error {}

/** What is wrong with this Redis for this PostgreSQL; undefined if they belong together. */
function differenceOf(known: KnownRedis, mark: RedisMark): GenerationCause | undefined {
  const isEmpty = mark.generation === "" && mark.beats === 0;
  if (known.generation !== mark.generation) return isEmpty ? "redis_empty" : "another_redis";
  if (mark.beats < known.beats) return isEmpty ? "redis_empty" : "redis_older";
  return mark.beats > known.beats + MOST_AHEAD ? "postgresql_older" : undefined;
}

/**
 * Compares what Redis and PostgreSQL say about each other. If they belong together, lets the heart
 * beat, if it is time. Else nothing in Redis counts for this process any more. Once nobody has seen
 * the known heart beat for `silentMs`, begins a generation, which ends every session and login under
 * way, and answers why. Before that, throws `OthersBeat`.
 */
export async function checkGeneration(
  stores: Stores,
  everyMs = BEAT_MS,
  silentMs = SILENT_MS,
): Promise<GenerationCause | undefined> {
  const { db, redis } = stores;
  // PostgreSQL first: a beat in between only puts Redis ahead.
  const known = await readKnownRedis(db);
  const mark = await readMark(redis);
  if (differenceOf(known, mark)) {
    distrust(redis);
    const others = (now: KnownRedis) => now.generation !== "" && now.silentMs < silentMs;
    if (others(known)) throw new OthersBeat();
    const cause = await begin(stores, (now, then) =>
      others(now) ? undefined : differenceOf(now, then),
    );
    if (cause) trust(redis);
    return cause;
  }
  trust(redis);
  // PostgreSQL learns of the beats before this one. Those are old enough to be on Redis's disk and on
  // its replicas, so a Redis that loses its last second is no older one.
  if (await takeBeat(db, everyMs, mark)) await beat(redis);
  return undefined;
}

/** Ends every session and every login under way of the service, because an operator asks for it. */
export async function endEverySession(stores: Stores): Promise<void> {
  await begin(stores, () => "by_hand");
}

/**
 * Begins a generation if there is still a cause, under the row's lock, so that of several processes
 * one does. Redis comes first. After a crash in between, it differs from PostgreSQL, and the next
 * check begins another generation.
 */
async function begin(
  { db, redis }: Stores,
  causeOf: (known: KnownRedis, mark: RedisMark) => GenerationCause | undefined,
): Promise<GenerationCause | undefined> {
  // Redis may have forgotten when grace periods end, and gateways look there.
  for await (const page of accountsWithGrace(db))
    await Promise.all(
      page.map((account) =>
        scheduleEnforcement(redis, account.id, {
          version: account.policyVersion,
          enforceAfter: account.enforceAfter?.getTime() ?? null,
          enforces: enforcedBy(account),
        }),
      ),
    );
  return db.transaction(async (tx) => {
    const cause = causeOf(await readKnownRedis(tx, true), await readMark(redis));
    if (!cause) return undefined;
    const generation = newId();
    await writeGeneration(redis, generation);
    await replaceKnownRedis(tx, { generation, cause });
    return cause;
  });
}

type WatchDeps = Stores & {
  log: { warn(fields: object, words: string): void };
};

const OTHERS_BEAT =
  "this Redis is not the one that belongs to PostgreSQL, so no session counts here: see REDIS_URL";

/**
 * Checks at once, then again and again until it is stopped. Resolves after the first check, with a
 * function that stops it. Until a check has succeeded nothing in Redis counts: a gateway that starts
 * while PostgreSQL is away answers 503.
 */
export async function watchGeneration(deps: WatchDeps): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const check = async () => {
    try {
      const cause = await checkGeneration(deps);
      if (cause) deps.log.warn({ cause }, "a new Redis generation: everybody has to log in again");
    } catch (error) {
      // Lost connections are logged elsewhere. The next check comes soon.
      if (error instanceof OthersBeat) deps.log.warn({}, OTHERS_BEAT);
      else if (!isUnavailable(error)) deps.log.warn({ err: error }, "Redis cannot be compared");
    }
  };
  const watch = async () => {
    while (!stopping.signal.aborted) {
      await sleep(BEAT_MS / 2, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (!stopping.signal.aborted) await check();
    }
  };
  distrust(deps.redis);
  await check();
  const ended = watch();
  return () => {
    stopping.abort();
    return ended;
  };
}
