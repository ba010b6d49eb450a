import type { ClientInfo } from "../../machines/methods.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { getUser } from "../../store/postgres/users.ts";
import type { Refund } from "../../store/redis/scripts/refunds.ts";
import type { RefundBudget } from "../../store/redis/second-step/refunds.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { isOutage, isSpent } from "../outages.ts";

type Attempted = { userId: string; kind: "passcode" | "pin" };

/**
 * Settles what an attempt costs that failed with this error before its flow heard of it. An outage
 * costs nothing while the user has refunds left today, and gives the same answer to right and wrong
 * codes. A flow that accepts no more requests refunds nothing, because its user can cause that. Then
 * a right code costs as much as a wrong one. Any other error leaves the attempt as it was judged.
 */
export async function refundOrCharge(
  deps: Pick<CoreDeps, "db" | "clock" | "log" | "config">,
  error: unknown,
  attempted: Attempted,
  origin: ClientInfo,
  act: (budget: RefundBudget) => Promise<Refund>,
): Promise<void> {
  if (!isOutage(error) && !isSpent(error)) return;
  const refundsPerDay = isOutage(error) ? deps.config.limits.refundsPerDay : 0;
  const refund = await act({ now: deps.clock.now(), refundsPerDay });
  if (refund === "given_back") recordRefund(deps, attempted, origin);
}

/**
 * Records that an attempt was given back after an outage. Not awaited, because the failing store
 * may be the cause of the outage. Refunds per user and day are limited, so these events are too.
 */
function recordRefund(
  deps: Pick<CoreDeps, "db" | "clock" | "log">,
  { userId, ...detail }: Attempted,
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
