import { type SmsGateway, UndeliverableError } from "../../providers/sms/sms.ts";
import { until } from "./until.ts";

type Message = { to: string; body: string };

/** How a provider can fail: for now, for good, or by never answering. */
export type SmsFailure = "refuse" | "undeliverable" | "hang";

/** Reads codes from phones: each message once. Waits for a message up to fifteen seconds. */
export function phones(read: (to: string) => Promise<Message[]>) {
  const seen = new Map<string, number>();

  const next = async (to: string, pattern: RegExp) => {
    const id = `${to} ${pattern}`;
    const codes = await until(
      async () => (await read(to)).flatMap(({ body }) => pattern.exec(body)?.[1] ?? []),
      ({ length }) => length > (seen.get(id) ?? 0),
    );
    seen.set(id, codes.length);
    return codes[0] as string;
  };

  return {
    /** The newest PIN sent to the number (E.164) that was not read before. */
    pinTo: (to: string) => next(to, /^(\d+) is your .* PIN /),
    /** The newest passcode sent to the number (E.164) that was not read before. */
    passcodeTo: (to: string) => next(to, /^(\d{7}) is /),
  };
}

/** An SMS provider that a test can make fail. */
export function fallible(gateway: SmsGateway) {
  let failure: SmsFailure | undefined;
  let hanging: (() => void)[] = [];
  return {
    gateway: {
      async send(sms) {
        if (failure === "hang") await new Promise<void>((resolve) => hanging.push(resolve));
        if (failure === "undeliverable") throw new UndeliverableError("unreachable_number");
        if (failure === "refuse")
          throw new Error(`The provider refused "${sms.body}" to ${sms.to}`);
        return gateway.send(sms);
      },
    } satisfies SmsGateway,
    /** How many messages hang. */
    hanging: () => hanging.length,
    /**
     * Makes sending fail in this mode; no mode makes it work again. Applies to hanging messages
     * too.
     */
    fail(mode?: SmsFailure) {
      failure = mode;
      if (mode === "hang") return;
      for (const goOn of hanging) goOn();
      hanging = [];
    },
  };
}

const AREAS = [
  ...[201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224],
  ...[225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270],
];
let used = 0;

/** A phone number that this test file has not used yet: as typed in the USA, and as E.164. */
export function newPhone() {
  const area = AREAS[Math.floor(used / 100)];
  if (area === undefined) throw new Error("No fictitious number is left");
  const line = `01${String(used++ % 100).padStart(2, "0")}`;
  return { countryCode: "US", phoneNumber: `${area}-555-${line}`, e164: `+1${area}555${line}` };
}
