import type { ActivityDeps } from "./deps.ts";
import { eventActivities } from "./events.ts";
import { withoutSecrets } from "./failures.ts";
import { finishingActivities } from "./finish-enrollment.ts";
import { loginActivities } from "./logins.ts";
import { noticeActivities } from "./notify.ts";
import { policyActivities } from "./policy.ts";
import { removalActivities } from "./removal.ts";
import { deliveryActivities } from "./send-codes.ts";
import { webhookActivities } from "./webhooks.ts";

/**
 * Everything the workflows do outside themselves. An activity may run more than once; a repeat
 * changes nothing more.
 */
export function createActivities(deps: ActivityDeps) {
  return withoutSecrets(deps.log, {
    ...deliveryActivities(deps),
    ...loginActivities(deps),
    ...noticeActivities(deps),
    ...policyActivities(deps),
    ...removalActivities(deps),
    ...finishingActivities(deps),
    ...eventActivities(deps),
    ...webhookActivities(deps),
  });
}

export type Activities = ReturnType<typeof createActivities>;
