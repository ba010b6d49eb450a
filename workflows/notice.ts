import {
  ActivityFailure,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { Activities } from "../activities/index.ts";
import { details } from "./details.ts";
import { measureEnd } from "./measure.ts";
import type { Owner } from "./messages.ts";

/** A mail server may be away for a weekend; a user told after three days was not told in time. */
const mailing = proxyActivities<Activities>({
  startToCloseTimeout: "60 s",
  scheduleToCloseTimeout: "3 days",
  retry: { initialInterval: "5 s", backoffCoefficient: 2, maximumInterval: "1 h" },
});

export type NoticeArgs = Owner & {
  eventId: number;
  /** The user's address, or the one that a change of it has replaced. */
  to: "current" | "former";
};

export type NoticeResult = Awaited<ReturnType<Activities["sendNotice"]>> | "given_up";

/**
 * Tells a user of one event by e-mail. A plain sequence without a machine: nothing but its own step
 * moves it. Its input and outcome are ids and words; address and text are made in the activity.
 */
export async function notice({ eventId, to }: NoticeArgs): Promise<NoticeResult> {
  const outcome = await mailing.sendNotice
    .executeWithOptions({ summary: "send the notice by e-mail" }, [{ eventId, to }])
    .catch(givenUp);
  upsertSearchAttributes({ MfaState: [outcome] });
  setCurrentDetails(details({ state: outcome }));
  measureEnd({ state: outcome });
  return outcome;
}

function givenUp(error: unknown): "given_up" {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return "given_up";
}
