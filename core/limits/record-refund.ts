import type { ClientInfo } from "../../machines/methods.ts";
import { recordEvent } from "../../store/postgres/events.ts";
import { getUser } from "../../store/postgres/users.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";

/**
 * Records that an attempt was given back after an outage. Not awaited, because the failing store
 * may be the cause of the outage. Refunds per user and day are limited, so these events are too.
 */
export function recordRefund(
  deps: Pick<CoreDeps, "db" | "clock" | "log">,
  { userId, ...detail }: { userId: string; kind: "passcode" | "pin" },
  origin: ClientInfo,
): void {
  const record = async () => {
    const user = await getUser(deps.db, userId);
    if (!user) return;
    const event = userEvent(deps, subjectOf(user), "attempt_given_back", origin, detail);
    await recordEvent(deps.db, event);
  };
  record().catch((error) =>
    deps.log.warn({ err: error }, "could not record that an attempt was given back"),
  );
}
