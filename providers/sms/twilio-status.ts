import { validateRequest } from "twilio/lib/webhooks/webhooks.js";
import type { Config } from "../../config.ts";
import type { DeliveryReport, UndeliverableReason } from "./sms.ts";

/**
 * Twilio's codes for a message that will not arrive, in an answer or in a report
 * (https://www.twilio.com/docs/api/errors).
 */
export const TWILIO_REASONS: Record<string, UndeliverableReason> = {
  21211: "unreachable_number", // invalid 'To'
  21214: "unreachable_number", // 'To' cannot be reached
  21217: "unreachable_number", // does not appear to be valid
  21265: "not_a_mobile", // a short code
  21408: "rejected_by_carrier", // the account may not send to this region
  21608: "rejected_by_carrier", // a trial account, and a number that is not verified
  21610: "blocked_number", // the recipient has answered STOP
  21612: "rejected_by_carrier", // no way from this sender to this number
  21614: "not_a_mobile",
  21635: "not_a_mobile", // a landline
  30003: "unreachable_number", // handset off or out of reach
  30004: "blocked_number",
  30005: "unreachable_number", // unknown handset
  30006: "not_a_mobile", // landline or unreachable carrier
  30007: "rejected_by_carrier", // filtered
  30034: "rejected_by_carrier", // the sender is not registered (US A2P 10DLC)
  30036: "expired", // validity period over
};

/** The URL to which Twilio reports on a message; undefined without PUBLIC_URL. */
export function twilioStatusUrl({ PUBLIC_URL }: Config, reference: string): string | undefined {
  return PUBLIC_URL && `${PUBLIC_URL.replace(/\/+$/, "")}/v1/providers/twilio/${reference}`;
}

type Form = Record<string, unknown>;

/** Whether Twilio sent this report, by its signature over URL and form. Takes constant time. */
export function isFromTwilio(
  config: Config,
  { reference, signature, form }: { reference: string; signature: string; form: Form },
): boolean {
  const url = twilioStatusUrl(config, reference);
  const token = config.TWILIO_AUTH_TOKEN;
  return url !== undefined && token !== undefined && validateRequest(token, signature, url, form);
}

/** Reads a report's form; undefined if the status is not final. */
export function readTwilioStatus(reference: string, form: Form): DeliveryReport | undefined {
  const { MessageStatus, ErrorCode } = form;
  if (MessageStatus === "delivered") return { reference, outcome: "delivered" };
  if (MessageStatus !== "undelivered" && MessageStatus !== "failed") return undefined;
  return { reference, outcome: "failed", reason: TWILIO_REASONS[String(ErrorCode)] ?? "unknown" };
}
