import { placesPerKey } from "../../store/places.ts";
import { type EventFilter, newestEvent } from "../../store/postgres/events/read-events.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { auditFile } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";

/** Of the exports under way in this process, by user. */
const takePlace = placesPerKey();

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
  const onEnd = takePlace(userId, atOnce);
  if (!onEnd)
    throw new Problem("too_many_requests", "Wait until an export of yours has ended.", {
      retryAfterS: 10,
    });
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
