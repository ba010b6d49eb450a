import { ActivityFailure, isCancellation } from "@temporalio/workflow";
import { mailing } from "./activities.ts";
import { end } from "./end.ts";
import type { NoticeArgs, NoticeResult } from "./messages.ts";

/**
 * Tells a user of one event by email. It needs no machine: only its own step moves it. Its input
 * and outcome are IDs and fixed words; the activity makes the address and the text.
 */
export async function notice({ eventId, ref, to }: NoticeArgs): Promise<NoticeResult> {
  return end(await mailing.sendNotice({ eventId, ref, to }).catch(givenUp));
}

function givenUp(error: unknown): "given_up" {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return "given_up";
}
