import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { remindUsers } from "../../../store/postgres/accounts.ts";
import type { Db } from "../../../store/postgres/connect.ts";
import type { Account } from "../../../store/postgres/schema.ts";
import { listUsers } from "../../../store/postgres/user-lists.ts";
import { AT, database, newAccount } from "./database.ts";

/** LARGE_ACCOUNT=500000 is the size that docs/scaling.md tells of. */
const USERS = Number(process.env.LARGE_ACCOUNT ?? 20_000);
const PAGE = 20;

describe("a large account", () => {
  const pools = database("postgres");
  let account: Account;
  beforeAll(async () => {
    account = await newAccount(pools.db);
    const slice = 10_000;
    for (let from = 0; from < USERS; from += slice)
      await pools.db.execute(sql`
        insert into users (id, account_id, username, password_hash, role, created_at)
        select md5(${account.id} || n), ${account.id}, 'user-' || lpad(n::text, 7, '0'), 'x', 'member', now()
        from generate_series(${from}::int, ${Math.min(from + slice, USERS) - 1}::int) n`);
    await pools.db.execute(sql`analyze users`);
  });

  /** How many rows of the users' table a transaction has read so far. */
  async function rowsRead(tx: Db): Promise<number> {
    const { rows } = await tx.execute<{ read: string }>(sql`
      select seq_tup_read + coalesce(idx_tup_fetch, 0) as read
      from pg_stat_xact_user_tables where relname = 'users'`);
    return Number(rows[0]?.read);
  }

  test.each([
    ["the first page", undefined, false],
    ["a page in the middle", "user-0010000", false],
    ["the first users without a device", undefined, true],
  ])("%s costs one page, and not the rest of the account", async (_, after, onlyUnconfigured) => {
    const query = { accountId: account.id, after, limit: PAGE, onlyUnconfigured };
    await pools.db.transaction(async (tx) => {
      const before = await rowsRead(tx);
      const { users, next } = await listUsers(tx, query);
      expect(users).toHaveLength(PAGE);
      expect(next).toBe(users.at(-1)?.user.username);
      expect((await rowsRead(tx)) - before).toBeLessThanOrEqual(PAGE + 1);
    });
  });

  test("reminders go through it in batches, and a repeat from a batch on reminds nobody twice", async () => {
    const key = newId();
    const event = {
      ...{ key, at: AT, accountId: account.id, type: "multi_factor_reminder" as const },
      detail: { requiredFrom: "2026-02-01" },
    };
    const cursors: string[] = [];
    const remind = async (from?: string) => {
      for (let after = from; ; ) {
        after = await remindUsers(pools.db, event, { after, limit: 1_000 });
        if (after === undefined) return;
        cursors.push(after);
      }
    };
    await remind();
    expect(cursors).toHaveLength(USERS / 1_000);
    await remind(cursors[3]);
    const { rows } = await pools.db.execute<{ count: string }>(
      sql`select count(*) from events where key like ${`${key}/%`}`,
    );
    expect(Number(rows[0]?.count)).toBe(USERS);
  });
});
