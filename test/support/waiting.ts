import { sql } from "drizzle-orm";
import type { Stack } from "./stack.ts";
import { until } from "./until.ts";

/** How many queries wait for a lock of another transaction. */
async function waiting({ deps }: Stack): Promise<number> {
  const found = await deps.db.execute(
    sql`select count(*)::int as n from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()`,
  );
  return Number(found.rows[0]?.n);
}

/**
 * Resolves with false once `n` queries wait for a lock, or with true if `watched` settles first.
 */
export async function waitingOrSettled(
  stack: Stack,
  n: number,
  watched: Promise<unknown>,
): Promise<boolean> {
  let settled = false;
  const end = () => {
    settled = true;
  };
  watched.then(end, end);
  await until(
    async () => settled || (await waiting(stack)) >= n,
    (there) => there,
  );
  return settled;
}
