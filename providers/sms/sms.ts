/**
 * One short message to one phone. `reference` is an opaque random ID that the provider may store;
 * it reports under this ID.
 */
export type Sms = { to: string; body: string; reference: string };

/** The provider that accepted a message. */
export type Sent = { provider: string };

/**
 * Sends SMS. Resolves when a provider has accepted the message. Throws `UndeliverableError` if no
 * retry helps; any other error means: try again.
 */
export type SmsGateway = { send(sms: Sms): Promise<Sent> };

/** The providers' log. Never log a number or a text here. */
export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

/**
 * What became of a message after a provider accepted it. `reason` is as in `UndeliverableError`.
 */
export type DeliveryReport = {
  reference: string;
  outcome: "delivered" | "failed";
  reason?: UndeliverableReason;
};

/** Why a message does not arrive. These words never change. */
export type UndeliverableReason =
  | "unreachable_number"
  | "blocked_number"
  | "not_a_mobile"
  | "rejected_by_carrier"
  | "expired"
  | "unknown";

/** The provider will never deliver this message; no retry helps. */
export class UndeliverableError extends Error {
  readonly reason: UndeliverableReason;
  constructor(reason: UndeliverableReason) {
    super(`The message cannot be delivered: ${reason}`);
    this.reason = reason;
  }
}

/**
 * A provider did not accept a message for now. `code` is the provider's own, or a network error's.
 */
export class ProviderError extends Error {
  readonly code: string;
  constructor(provider: string, code: string) {
    super(`${provider} did not take the message: ${code}`);
    this.code = code;
  }
}
