import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { sql } from "drizzle-orm";
import pg from "pg";
import { afterAll, describe, expect, inject, test, vi } from "vitest";
import { newId } from "../../../store/ids.ts";
import { connectDatabase, type Db } from "../../../store/postgres/connect.ts";
import { addSmsDevice } from "../../../store/postgres/devices.ts";
import { createUser, getUser } from "../../../store/postgres/users.ts";
import { isUnavailable } from "../../../store/unavailable.ts";
import { freshDatabase } from "../../support/databases.ts";
import { limit } from "../../support/limits.ts";
import { wireTo } from "../wire.ts";
import { AT, database, eventOf, KINDS, newUser, sms } from "./database.ts";

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => error,
  );

describe.each(KINDS)("statements on %s", (kind) => {
  const pools = database(kind);

  test("are planned once for each connection", async () => {
    const user = await newUser(pools.db);
    // One after the other, so that all use the same connection.
    for (let n = 0; n < 10; n++) await getUser(pools.db, user.id);
    const text = '%from "users" where "users"."id" = $1';
    const plans = sql`select statement from pg_prepared_statements where statement like ${text}`;
    expect((await pools.db.execute(plans)).rows).toHaveLength(1);
  });
});

test("with named: false no statement has a name", async () => {
  const { url, drop } = await freshDatabase("postgres");
  const { db, close } = connectDatabase(url, { max: 1, named: false });
  closing.push(drop, close);
  await db.transaction((tx) => tx.execute(sql`select 1`));
  const found = await db.execute(sql`select name from pg_prepared_statements`);
  expect(found.rows).toEqual([]);
});

test("a statement has the same name in every build, whatever else that build runs", async () => {
  const { url, drop } = await freshDatabase("postgres");
  closing.push(drop);
  const [first, second] = ["select 'one' as it", "select 'two' as it"] as const;
  let builds = 0;
  const namesIn = async (statements: string[]) => {
    // A module of its own, as in another build: names are kept in the module.
    const file = `../../../store/postgres/connect.ts?build=${builds++}`;
    const build: typeof import("../../../store/postgres/connect.ts") = await import(file);
    const { db, close } = build.connectDatabase(url, { max: 1 });
    for (const statement of statements) await db.execute(sql.raw(statement));
    const found = await db.execute(
      sql`select statement, name from pg_prepared_statements where statement like '% as it'`,
    );
    await close();
    return Object.fromEntries(found.rows.map(({ statement, name }) => [statement, name]));
  };
  const names = await namesIn([first, second]);
  expect(new Set(Object.values(names)).size).toBe(2);
  expect(await namesIn([second, first])).toEqual(names);
});

describe.each(KINDS)("a failed query on %s", (kind) => {
  const pools = database(kind);

  test("does not show its parameters or the row", async () => {
    const user = await newUser(pools.db);
    const phoneNumber = "+0123secret";
    const failures = [
      await failureOf(addSmsDevice(pools.db, { ...sms(user), phoneNumber }, eventOf(user))),
      await failureOf(pools.db.execute(sql`select ${phoneNumber}::text from nowhere`)),
      await failureOf(
        createUser(pools.db, {
          accountId: phoneNumber,
          username: newId(),
          passwordHash: phoneNumber,
          role: "member",
          at: AT,
        }),
      ),
    ];
    for (const error of failures) {
      const shown = [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)];
      expect(shown.join()).not.toContain(phoneNumber);
      expect(isUnavailable(error)).toBe(false);
    }
  });
});

describe("when PostgreSQL is away", () => {
  async function wired() {
    const wire = await wireTo(inject("postgresUrl"));
    const { db, ping, close } = connectDatabase(wire.url, { max: 2 });
    closing.push(close, wire.cut);
    return { wire, db, ping };
  }

  const inTransaction = (db: Db) => db.transaction((tx) => tx.execute(sql`select 1`));

  /**
   * Sends more transactions and queries than there are connections; all fail without the database.
   */
  async function expectOutage(db: Db) {
    const failures = await Promise.all(
      [1, 2, 3].flatMap(() => [
        failureOf(inTransaction(db)),
        failureOf(Promise.resolve(db.execute(sql`select 1`))),
      ]),
    );
    for (const error of failures) {
      expect(isUnavailable(error), String(error)).toBe(true);
    }
  }

  const expectRecovery = (db: Db) =>
    vi.waitFor(() => Promise.all([1, 2, 3, 4].map(() => inTransaction(db))), {
      timeout: limit(20_000),
    });

  test("queries and transactions fail, no connection is kept, and service comes back", async () => {
    const { wire, db, ping } = await wired();
    await ping();
    await wire.cut();
    await expectOutage(db);
    await wire.heal();
    await expectRecovery(db);
  });

  test("the same happens when it goes silent", async () => {
    const { wire, db } = await wired();
    await expectRecovery(db);
    wire.silence();
    await expectOutage(db);
    await wire.heal();
    await expectRecovery(db);
  });

  test("a transaction that waits for something else does not count as a silent server", async () => {
    const { url, drop } = await freshDatabase("postgres");
    const { db, close } = connectDatabase(url, { patienceMs: 300 });
    closing.push(drop, close);
    await db.transaction(async (tx) => {
      await tx.execute(sql`select 1`);
      await sleep(900);
      await tx.execute(sql`select 1`);
    });
    const late = failureOf(Promise.resolve(db.execute(sql`select pg_sleep(2)`)));
    expect(isUnavailable(await late)).toBe(true);
  });

  test("a connection lost in a transaction fails only that transaction", async () => {
    const { wire, db } = await wired();
    const lost = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`);
      await wire.cut();
      await tx.execute(sql`select 1`);
    });
    expect(isUnavailable(await failureOf(lost))).toBe(true);
    await wire.heal();
    await expectRecovery(db);
  });

  test("a server that ends its connections, or has none left, counts as away", async () => {
    const { db } = await wired();
    const ended = db.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
    expect(isUnavailable(await failureOf(Promise.resolve(ended)))).toBe(true);
    await expectRecovery(db);
    const { url, drop } = await freshDatabase("postgres");
    const admin = new pg.Client({ connectionString: inject("postgresUrl") });
    await admin.connect();
    const name = new URL(url).pathname.slice(1);
    await admin.query(`alter database ${name} connection limit 0`);
    await admin.query(`create role limited login password 'x'`);
    const limited = new URL(url);
    limited.username = "limited";
    limited.password = "x";
    const full = connectDatabase(limited.href);
    closing.push(full.close, drop, () => admin.query("drop role limited").then(() => admin.end()));
    expect(isUnavailable(await failureOf(full.ping()))).toBe(true);
  });

  test("a statement that takes too long fails as an outage", async () => {
    const { db } = await wired();
    const slow = Promise.resolve(db.execute(sql`select pg_sleep(30)`));
    expect(isUnavailable(await failureOf(slow))).toBe(true);
  });
});
