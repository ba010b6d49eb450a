import type { Sms, SmsGateway } from "../../providers/sms/sms.ts";

/** An SMS provider that delivers every number to this phone, and that a test can make fail. */
export function testPhone() {
  const messages: Sms[] = [];
  let attempts = 0;
  let failures: { left: number; error: () => Error } = { left: 0, error: () => new Error() };
  return {
    messages,
    /** How often the provider was asked to send. */
    attempts: () => attempts,
    /** Makes the next `left` attempts fail, or all of them. */
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
