import { sql } from "drizzle-orm";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { migrateDatabase } from "../../store/postgres/migrations/migrate.ts";
import { freshDatabase } from "../support/databases.ts";
import { limit } from "../support/limits.ts";
import { knowsNamedStatements } from "../support/pgbouncer.ts";
import { enrollPhone, logInBySms } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";

const known = await knowsNamedStatements();

// Debian 12 has a PgBouncer that does not know named statements; later ones do.
describe.each(known ? [true, false] : [false])(
  "behind PgBouncer, statements named: %s",
  (named) => {
    let service: Service;
    beforeAll(async () => {
      service = await startService("pgbouncer", { DATABASE_NAMED_STATEMENTS: String(named) }, 1);
    }, limit(120_000));
    afterAll(async () => {
      expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
    });

    test(
      "more users at once than there are connections enroll, log in and remove their devices",
      async () => {
        const users = await Promise.all(Array.from({ length: 8 }, () => service.createUser()));
        const phones = await Promise.all(users.map((user) => enrollPhone(service, user)));
        await service.forgetSends();
        const sessions = await Promise.all(
          users.map((user, n) => logInBySms(service, user, phones[n]?.e164 as string)),
        );
        for (const { token } of sessions) {
          expect((await service.api.session(token)).body.scope).toBe("full");
          expect(
            (await service.api.call("DELETE", "/v1/me/devices", { token })).status,
          ).toBeLessThan(300);
        }
        expect(service.logs().filter((line) => /prepared statement|"level":50/.test(line))).toEqual(
          [],
        );
      },
      limit(60_000),
    );
  },
);

describe("the timeout of statements behind PgBouncer", () => {
  const closing: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of closing) await close();
  });

  async function pooled() {
    const { url, drop } = await freshDatabase("pgbouncer");
    await migrateDatabase(url);
    const database = connectDatabase(url, { named: false });
    closing.push(database.close, drop);
    return database;
  }

  const warnings = async ({ checkTimeout }: Awaited<ReturnType<typeof pooled>>) => {
    const said: string[] = [];
    await checkTimeout((text) => said.push(text));
    return said;
  };

  test("is the role's, and without one there is a warning", async () => {
    const database = await pooled();
    expect(await warnings(database)).toEqual([]);
    const name = (await database.db.execute(sql`select current_database() as name`)).rows[0]?.name;
    await database.db.execute(
      sql.raw(`alter role postgres in database ${name} reset statement_timeout`),
    );
    // Connections of the server keep what they began with. The one that asks stays, so it must not
    // be one of PgBouncer's.
    const direct = new pg.Client({ connectionString: inject("postgresUrl") });
    await direct.connect();
    await direct.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
      [name],
    );
    await direct.end();
    await expect
      .poll(() => warnings(database), { timeout: limit(10_000) })
      .toEqual([expect.stringContaining("set statement_timeout for the role")]);
  });
});
