import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import type { DeliveryEvent } from "../../../machines/delivery.ts";
import { keys } from "../../../store/redis/keys.ts";
import type { Stack } from "../../support/stack.ts";
import type { Illegal } from "./walk.ts";

/** What a gateway needs for Twilio to report to it. */
export const twilio = {
  PUBLIC_URL: "https://login.example.com",
  TWILIO_AUTH_TOKEN: "the-auth-token",
};

type Report = Extract<DeliveryEvent, { type: "DELIVERY_REPORTED" }>;

/** What a provider may tell of a flow's newest message, while the flow goes by so many sendings. */
export const reportEvents = (sendings: number): Report[] =>
  Array.from({ length: sendings }, (_, n) => n + 1).flatMap((sending) => [
    { type: "DELIVERY_REPORTED", sending, outcome: "delivered" },
    { type: "DELIVERY_REPORTED", sending, outcome: "failed", reason: "not_a_mobile" },
  ]);

/** Twilio, which reports on the newest message of a flow. */
export function reporter({ api, deps }: Stack, workflowId: string) {
  const send = async (form: Record<string, string>, token = twilio.TWILIO_AUTH_TOKEN) => {
    const reference = await deps.redis.get(keys.newestDelivery(workflowId));
    const path = `/v1/providers/twilio/${reference}`;
    return api.call("POST", path, {
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": getExpectedTwilioSignature(token, twilio.PUBLIC_URL + path, form),
      },
      body: new URLSearchParams(form).toString(),
    });
  };
  const undelivered = { MessageStatus: "undelivered", ErrorCode: "30006" };
  return {
    report: async ({ outcome }: Report) =>
      (await send(outcome === "delivered" ? { MessageStatus: "delivered" } : undelivered)).body,
    forged: {
      request: "report by somebody else",
      send: () => send(undelivered, "another-token"),
      code: "signature_rejected",
    } satisfies Illegal,
  };
}
