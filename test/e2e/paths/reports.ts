import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import type { DeliveryEvent } from "../../../machines/delivery.ts";
import { keys } from "../../../store/redis/keys.ts";
import type { Stack } from "../../support/stack.ts";
import type { Illegal } from "./walk.ts";

/** The settings that a gateway needs for Twilio's reports. */
export const twilio = {
  PUBLIC_URL: "https://login.example.com",
  TWILIO_AUTH_TOKEN: "the-auth-token",
};

type Report = Extract<DeliveryEvent, { type: "DELIVERY_REPORTED" }>;

/** Every report of a provider about a flow's newest message, for up to `sendings` sendings. */
export const reportEvents = (sendings: number): Report[] =>
  Array.from({ length: sendings }, (_, n) => n + 1).flatMap((sending) => [
    { type: "DELIVERY_REPORTED", sending, outcome: "delivered" },
    { type: "DELIVERY_REPORTED", sending, outcome: "failed", reason: "not_a_mobile" },
  ]);

/** Reports on the newest message of a flow, as Twilio does. */
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
