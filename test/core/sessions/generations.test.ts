import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { checkGeneration, watchGeneration } from "../../../store/generations/generations.ts";
import { connectRedis } from "../../../store/redis/connect.ts";
import { keys } from "../../../store/redis/keys.ts";
import { DAY_MS } from "../../../units.ts";
import { impatientClient } from "../../support/flow-attacks.ts";
import { copyRedis, replaceRedis } from "../../support/redis-copy.ts";
import { ownRedisDatabase } from "../../support/redis-database.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

/** A check whose beat is always due. */
const beat = () => checkGeneration(stack.deps, 0, 0);

/** As if no process had seen the heart beat for a while. */
const silence = () =>
  stack.deps.db.execute(sql`update redis_generation set beaten_at = now() - interval '1 minute'`);

/** Several beats, as of a service that has run for a while. */
async function beats(count = 6) {
  for (let n = 0; n < count; n++) expect(await beat()).toBeUndefined();
}

const url = () => stack.deps.config.REDIS_URL;

/** Why the session is over, as its user is told; undefined while it lives. */
const overBecause = async (token: string) => {
  const answer = await stack.api.session(token);
  return answer.status === 200 ? undefined : (answer.problem.reason ?? answer.problem.code);
};

/** Waits until the session is over. A process may use the generation that it knows for a second. */
const untilOver = (token: string) =>
  until(
    () => overBecause(token),
    (reason) => reason !== undefined,
  );

const liveSession = async (user: Parameters<typeof logInByPassword>[1]) =>
  (await logInByPassword(stack, user)).token;

test("a service that runs, and whose workers beat at once, logs nobody out", async () => {
  await beats();
  const token = await liveSession(await stack.createUser());
  expect(await Promise.all([beat(), beat(), beat(), beat()])).toEqual(Array(4).fill(undefined));
  await beats();
  expect(await overBecause(token)).toBeUndefined();
});

test("attack: a Redis from a backup revives no ended session and no used login", async () => {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  await beats();
  const { token } = await logInBySms(stack, user, e164);
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  const copy = await copyRedis(url());
  await stack.api.logOut(token);
  expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
  await beats();

  await replaceRedis(url(), copy);
  expect(await overBecause(token)).toBeUndefined();
  expect(await beat()).toBe("redis_older");
  expect(await untilOver(token)).toBe("everybody_logged_out");
  const again = await stack.api.verifyPasscode(id, passcode);
  if (again.status === 200)
    expect(await overBecause(again.body.session.token)).toBe("everybody_logged_out");
  // Once is enough: the sessions since then stay.
  const next = await logInBySms(stack, user, e164);
  await beats();
  expect(await overBecause(next.token)).toBeUndefined();
});

test("a Redis that lost the last beat, as after a crash, logs nobody out", async () => {
  await beats();
  const token = await liveSession(await stack.createUser());
  const copy = await copyRedis(url());
  await beats(1);
  await replaceRedis(url(), copy);
  await beats();
  expect(await overBecause(token)).toBeUndefined();
});

test("a PostgreSQL whose writes fail now and then logs nobody out", async () => {
  await beats();
  const token = await liveSession(await stack.createUser());
  const { db } = stack.deps;
  let writes = 0;
  const faulty: typeof db = Object.create(db, {
    update: {
      value: (...args: Parameters<typeof db.update>) => {
        if (writes++ % 2 === 1) throw new Error("timed out");
        return db.update(...args);
      },
    },
  });
  for (let n = 0; n < 12; n++)
    await checkGeneration({ ...stack.deps, db: faulty }, 0, 0).catch(() => {});
  expect(writes).toBeGreaterThan(6);
  expect(await beat()).toBeUndefined();
  expect(await overBecause(token)).toBeUndefined();
});

test("a process that has another Redis than the others ends nobody's session, and lets nobody in", async () => {
  await beats();
  const token = await liveSession(await stack.createUser());
  const own = await ownRedisDatabase();
  const redis = await connectRedis(own.url, () => {});
  const other = { ...stack.deps, redis };
  for (let n = 0; n < 3; n++) {
    await expect(checkGeneration(other, 0)).rejects.toThrow();
    await beats(1);
  }
  expect(await overBecause(token)).toBeUndefined();
  const user = await stack.createUser();
  expect((await impatientClient(stack, { redis }).logIn(user)).status).toBe(503);
  await redis.close();
  await own.giveBack();
});

test("while PostgreSQL was never asked, a gateway lets nobody in", async () => {
  const token = await liveSession(await stack.createUser());
  const { db } = stack.deps;
  const away = Object.create(db, {
    select: {
      value: () => {
        throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
      },
    },
  });
  const stop = await watchGeneration({ ...stack.deps, db: away });
  expect((await impatientClient(stack).session(token)).status).toBe(503);
  await stop();
  await beats();
  expect(await overBecause(token)).toBeUndefined();
});

test("an empty Redis is taken at once, and keeps the end of a grace period and what it asks for", async () => {
  const { deps, clock } = stack;
  const user = await stack.createUser();
  const end = new Date(clock.now() + DAY_MS);
  await deps.db.execute(
    sql`update accounts set requirement = 'phishing_resistant', enforce_after = ${end.toISOString()}::timestamptz where id = ${user.accountId}`,
  );
  await beats();
  const before = await liveSession(user);
  await replaceRedis(url());
  expect(await beat()).toBe("redis_empty");
  expect(await untilOver(before)).toBe("unauthenticated");
  const token = await liveSession(user);
  expect(await overBecause(token)).toBeUndefined();
  expect(
    await deps.redis.hmGet(keys.accountRevocation(user.accountId), ["enforceAfter", "enforces"]),
  ).toEqual([String(end.getTime()), "key"]);
});

test("after PostgreSQL was restored to an earlier point, everybody logs in again", async () => {
  const { db } = stack.deps;
  const user = await stack.createUser();
  await beats();
  const [row] = (await db.execute(sql`select * from redis_generation`)).rows;
  const token = await liveSession(user);
  await beats();
  // The row as the earlier point has it. The drill restores all of PostgreSQL.
  await db.execute(sql`update redis_generation set beats = ${row?.beats}::bigint`);
  expect(await beat()).toBe("postgresql_older");
  expect(await untilOver(token)).toBe("everybody_logged_out");
  expect(await beat()).toBeUndefined();
});

test("a crash between Redis and PostgreSQL ends sessions twice, and never not at all", async () => {
  const user = await stack.createUser();
  await beats();
  const token = await liveSession(user);
  // Redis has the new generation, PostgreSQL does not.
  await stack.deps.redis.hSet(keys.generation(), { generation: "of-a-crash", beats: 0 });
  expect(await beat()).toBe("another_redis");
  expect(await untilOver(token)).toBe("everybody_logged_out");
  await beats();
});

test("of several processes that see the older Redis, one begins a generation", async () => {
  await beats();
  const copy = await copyRedis(url());
  await beats();
  await replaceRedis(url(), copy);
  const causes = await Promise.all(Array.from({ length: 4 }, beat));
  expect(causes.filter((cause) => cause !== undefined)).toEqual(["redis_older"]);
});

test("a gateway that starts on an older Redis checks it before its first request, and says so", async () => {
  const user = await stack.createUser();
  await beats();
  const token = await liveSession(user);
  const copy = await copyRedis(url());
  await beats();
  await replaceRedis(url(), copy);
  const stop = await watchGeneration(stack.deps);
  // Other processes have just seen the newer one, so this gateway lets nobody in.
  expect((await impatientClient(stack).session(token)).status).toBe(503);
  await silence();
  await until(
    () => impatientClient(stack).session(token),
    ({ status }) => status === 401,
  );
  expect(await overBecause(token)).toBe("everybody_logged_out");
  await stop();
  const said = stack.logged().filter((line) => line.includes("a new Redis generation"));
  expect(said.join()).toContain('"cause":"redis_older"');
  expect(said.join()).not.toContain(token);
});
