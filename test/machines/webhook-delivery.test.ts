import { expect, test } from "vitest";
import { initialTransition, transition } from "xstate";
import { webhookDeliveryMachine } from "../../machines/webhook-delivery.ts";

test("an event that was taken is not sent again", () => {
  const [attempting] = initialTransition(webhookDeliveryMachine, {
    retriesMs: [1_000],
    attemptsBefore: 0,
  });
  const [taken] = transition(webhookDeliveryMachine, attempting, {
    type: "EVENT_TAKEN",
    outcome: "200",
  });
  expect({ status: taken.status, value: taken.value }).toEqual({
    status: "done",
    value: "delivered",
  });
});
