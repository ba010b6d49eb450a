import { maintenanceOutcomes } from "./audit-maintenance.ts";
import { removalOutcomes } from "./device-removal.ts";
import { enrollmentOutcomes } from "./enrollment.ts";
import { loginOutcomes } from "./login-challenge.ts";
import { noticeOutcomes } from "./notice.ts";
import type { Outcome } from "./outcome.ts";
import { rolloutOutcomes } from "./policy-rollout.ts";
import { webhookOutcomes } from "./webhook-delivery.ts";

/** Every way in which a flow ends. Each is replayed, both live and from its recorded history. */
export const outcomes: Record<string, Outcome> = {
  ...loginOutcomes,
  ...enrollmentOutcomes,
  ...rolloutOutcomes,
  ...removalOutcomes,
  ...noticeOutcomes,
  ...webhookOutcomes,
  ...maintenanceOutcomes,
};
