import { type ActivityOptions, proxyActivities } from "@temporalio/workflow";
import type { Activities } from "../activities/activities.ts";
import { MAIL_QUEUE, WEBHOOKS_QUEUE } from "./ids.ts";

/** What each activity does, as the history shows it. */
const SUMMARIES: Record<keyof Activities, string> = {
  sendPin: "send a PIN by SMS",
  sendPasscode: "send a passcode by SMS",
  recordExpiry: "record that the challenge expired",
  lockUser: "lock the user",
  settleDevice: "record that the device is verified",
  signOut: "end the user's sessions",
  removeDevice: "remove the unverified device",
  dropDevice: "remove the expired unverified device",
  removeDevices: "remove the devices",
  retireDevices: "end the challenges and sessions of the devices",
  persistPolicy: "store the policy",
  enforcePolicy: "end sessions without a second factor",
  countUsersToGo: "count the users without a device",
  remindUsers: "remind the users without a device",
  sendNotice: "send the notice by e-mail",
  sendEvent: "send the event to the webhook",
  noteDelivery: "record the outcome of the delivery",
  giveUp: "record that the delivery failed for good",
  keepEvents: "make partitions of events ahead",
  dropEvents: "drop events whose time is over",
};

/** The activities with these options, each with its summary. */
function activities(options: ActivityOptions): Activities {
  const proxies = proxyActivities<Activities>(options);
  const names = Object.keys(SUMMARIES) as (keyof Activities)[];
  const entries = names.map((name) => {
    const summary = SUMMARIES[name];
    const { executeWithOptions } = proxies[name];
    return [name, (...args: never) => executeWithOptions({ summary }, args)];
  });
  return Object.fromEntries(entries);
}

/** Sending to a phone. It gives up after about half a minute, so that the user is told. */
export const delivering = activities({
  startToCloseTimeout: "15 s",
  scheduleToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumAttempts: 5 },
});

/**
 * Sending to a webhook. The receiver's failures are outcomes, so only our own errors are retried.
 */
export const posting = activities({
  taskQueue: WEBHOOKS_QUEUE,
  startToCloseTimeout: "30 s",
  retry: { initialInterval: "200 ms", backoffCoefficient: 2, maximumInterval: "30 s" },
});

/** Sending mail. A mail server may be down for a weekend; after three days a notice is too late. */
export const mailing = activities({
  taskQueue: MAIL_QUEUE,
  startToCloseTimeout: "60 s",
  scheduleToCloseTimeout: "3 days",
  retry: { initialInterval: "5 s", backoffCoefficient: 2, maximumInterval: "1 h" },
});

/** Writing about every user of an account, in batches. A repeat continues where it was. */
export const batched = activities({
  startToCloseTimeout: "1 h",
  heartbeatTimeout: "30 s",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumInterval: "30 s" },
});

/** The upkeep of the events. What still fails after two hours is tried again the next day. */
export const keeping = activities({
  startToCloseTimeout: "1 h",
  scheduleToCloseTimeout: "2 h",
  heartbeatTimeout: "1 min",
  retry: { initialInterval: "1 s", backoffCoefficient: 2, maximumInterval: "5 min" },
});

/** Writing to our own stores. Retried until it succeeds, however long a store is down. */
export const durable = activities({
  startToCloseTimeout: "10 s",
  retry: { initialInterval: "200 ms", backoffCoefficient: 2, maximumInterval: "30 s" },
});
