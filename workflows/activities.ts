import { proxyActivities } from "@temporalio/workflow";
import type { Activities } from "../activities/index.ts";

/** Sending to a phone: given up after about half a minute, so that the user hears of it. */
export const delivering = proxyActivities<Activities>({
  startToCloseTimeout: "15 s",
  scheduleToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumAttempts: 5 },
});

/** Sending to a webhook: what the receiver does is an outcome, so only our own troubles are retried. */
export const posting = proxyActivities<Activities>({
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "200 ms", backoffCoefficient: 2, maximumInterval: "30 s" },
});

/** Writing to our own stores: retried until it is done, however long a store is away. */
export const durable = proxyActivities<Activities>({
  startToCloseTimeout: "10 s",
  retry: { initialInterval: "200 ms", backoffCoefficient: 2, maximumInterval: "30 s" },
});
