import type { Sms, SmsGateway } from "../../providers/sms/sms.ts";

/** A provider whose every phone is this one, and that can be away. */
export function testPhone() {
  const messages: Sms[] = [];
  let attempts = 0;
  let failures: { left: number; error: () => Error } = { left: 0, error: () => new Error() };
  return {
    messages,
    /** How often the provider was asked to send. */
    attempts: () => attempts,
    /** The next so many attempts fail, or all of them. */
    fail(left = Number.POSITIVE_INFINITY, error = () => new Error("The provider is away")) {
      failures = { left, error };
    },
    recover() {
      failures.left = 0;
    },
    gateway: {
      async send(sms) {
        attempts++;
        if (failures.left-- > 0) throw failures.error();
        messages.push(sms);
        return { provider: "test" };
      },
    } satisfies SmsGateway,
  };
}
