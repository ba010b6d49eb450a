import { removalOutcomes } from "./device-removal.ts";
import { enrollmentOutcomes } from "./enrollment.ts";
import { loginOutcomes } from "./login-challenge.ts";
import { noticeOutcomes } from "./notice.ts";
import type { Outcome } from "./outcome.ts";
import { rolloutOutcomes } from "./policy-rollout.ts";
import { webhookOutcomes } from "./webhook-delivery.ts";

/** How flows end: every way that is replayed, live and from its recorded history. */
export const outcomes: Record<string, Outcome> = {
  ...loginOutcomes,
  ...enrollmentOutcomes,
  ...rolloutOutcomes,
  ...removalOutcomes,
  ...noticeOutcomes,
  ...webhookOutcomes,
};
