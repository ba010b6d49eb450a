/**
 * One short message to one phone. `reference` is an opaque random id that the provider may keep:
 * reports come back under it.
 */
export type Sms = { to: string; body: string; reference: string };

/** Which provider took a message. */
export type Sent = { provider: string };

/** Sends SMS; resolves when a provider took the message, throws `UndeliverableError` or any error to retry. */
export type SmsGateway = { send(sms: Sms): Promise<Sent> };

/** Where gateways tell what happens; no number and no text goes there. */
export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/** What became of a message after it was handed over. `reason` is a word as in `UndeliverableError`. */
export type DeliveryReport = {
  reference: string;
  outcome: "delivered" | "failed";
  reason?: UndeliverableReason;
};

/** Why a message does not arrive; these words never change. */
export type UndeliverableReason =
  | "unreachable_number"
  | "blocked_number"
  | "not_a_mobile"
  | "rejected_by_carrier"
  | "expired"
  | "unknown";

/** The provider will never deliver this message: no retry helps. */
export class UndeliverableError extends Error {
  readonly reason: UndeliverableReason;
  constructor(reason: UndeliverableReason) {
    super(`The message cannot be delivered: ${reason}`);
    this.reason = reason;
  }
}

/** A provider did not take a message, for now. `code` is the provider's own, or one of the network. */
export class ProviderError extends Error {
  readonly code: string;
  constructor(provider: string, code: string) {
    super(`${provider} did not take the message: ${code}`);
    this.code = code;
  }
}
