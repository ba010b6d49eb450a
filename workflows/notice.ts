import { ActivityFailure, isCancellation } from "@temporalio/workflow";
import { mailing } from "./activities.ts";
import { end } from "./end.ts";
import type { NoticeArgs, NoticeResult } from "./messages.ts";

/**
 * Tells a user of one event by e-mail. A plain sequence without a machine: nothing but its own step
 * moves it. Its input and outcome are ids and words; address and text are made in the activity.
 */
export async function notice({ eventId, to }: NoticeArgs): Promise<NoticeResult> {
  return end(await mailing.sendNotice({ eventId, to }).catch(givenUp));
}

function givenUp(error: unknown): "given_up" {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return "given_up";
}
