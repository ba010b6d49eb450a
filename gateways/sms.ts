/** One short message to one phone. */
export type Sms = { to: string; body: string };

/** Sends SMS; resolves when the provider took the message, throws `UndeliverableError` or any error to retry. */
export type SmsGateway = { send(sms: Sms): Promise<void> };

/** The provider will never deliver this message: no retry helps. `reason` is a stable snake_case word. */
export class UndeliverableError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(`The message cannot be delivered: ${reason}`);
    this.reason = reason;
  }
}
