import { type EventFilter, newestEvent } from "../../store/postgres/events.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { auditFile } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";

/** The exports under way in this process, by user. */
const underWay = new Map<string, number>();

/**
 * The account's events so far as an NDJSON file, for an administrator. It breaks off when the
 * session ends, or after `limits.exports.lastsMs`. Throws `too_many_requests` while as many of the
 * user's exports are under way as may be.
 */
export async function exportActivity(
  deps: CoreDeps,
  session: Session,
  filter: Omit<EventFilter, "accountId" | "everywhere" | "upTo">,
): Promise<ReadableStream<Uint8Array>> {
  const { atOnce, lastsMs } = deps.config.limits.exports;
  const { userId, accountId } = session;
  const running = underWay.get(userId) ?? 0;
  if (running >= atOnce)
    throw new Problem("too_many_requests", "Wait until an export of yours has ended.", {
      retryAfterS: 10,
    });
  underWay.set(userId, running + 1);
  const onEnd = () => {
    const left = (underWay.get(userId) ?? 1) - 1;
    if (left === 0) underWay.delete(userId);
    else underWay.set(userId, left);
  };
  const db = deps.longReads;
  try {
    const upTo = await newestEvent(db, accountId);
    const guard = { mayGoOn: () => requireStillLive(deps, session), lastsMs, onEnd };
    return await auditFile({ db }, { ...filter, accountId, upTo }, "account", guard);
  } catch (error) {
    onEnd();
    throw error;
  }
}
