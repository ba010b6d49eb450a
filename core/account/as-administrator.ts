import type { Db } from "../../store/postgres/connect.ts";
import { holdingAccount } from "../../store/postgres/holding-account.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { CoreDeps } from "../deps.ts";
import { requireStillLive } from "../sessions/live-session.ts";

/**
 * Runs a write for an administrator. The session is checked while the account's row is locked,
 * because a colleague who takes the role away locks the same row. Throws as `requireStillLive`.
 */
export function asAdministrator<T>(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  session: Session,
  lock: Parameters<typeof holdingAccount>[2],
  write: (tx: Db) => Promise<T>,
): Promise<T> {
  return holdingAccount(deps.db, session.accountId, lock, async (tx) => {
    await requireStillLive({ ...deps, db: tx }, session);
    return write(tx);
  });
}
