import { sql } from "drizzle-orm";
import type { Stack } from "./stack.ts";
import { until } from "./until.ts";

/** How many queries wait for another transaction. */
async function waiting({ deps }: Stack): Promise<number> {
  const found = await deps.db.execute(
    sql`select count(*)::int as n from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()`,
  );
  return Number(found.rows[0]?.n);
}

/** Resolves once `n` queries wait (false), or what is watched has come to its end without (true). */
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
