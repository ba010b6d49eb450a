import { sql } from "drizzle-orm";
import type { Db } from "./connect.ts";

/**
 * A transaction whose statements may each take `ms`. Behind a pooler a connection cannot ask for
 * that at its start, and the role's own timeout is for requests.
 */
export function withTimeFor<T>(db: Db, ms: number, work: (tx: Db) => Promise<T>): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('statement_timeout', ${String(ms)}, true)`);
    return work(tx);
  });
}
