import type { JourneyName } from "./journeys.ts";
import type { Pace } from "./load.ts";
import type { Having } from "./people.ts";

export type Load = {
  name: string;
  journey: JourneyName;
  pace: Pace;
  /** The users who do the work. */
  having: Having;
  /** Each person can do only one unit of work, so each measurement needs new people. */
  once?: boolean;
};

const closed = (clients: number) => ({
  pace: { clients },
  at: clients === 1 ? "1 client" : `${clients} clients`,
});
const open = (rate: number) => ({ pace: { rate }, at: `${rate} begun a second` });

/** Everything that is measured, in this order. */
export function allLoads(clients: number[]): Load[] {
  const paces = [...clients.map(closed), open(10), open(30)];
  const few = clients.map(closed).slice(0, 2);
  const of = (
    what: string,
    load: Omit<Load, "name" | "pace">,
    at: { pace: Pace; at: string }[],
  ): Load[] => at.map(({ pace, at }) => ({ name: `${what}, ${at}`, pace, ...load }));
  return [
    // 120 a second is more than the stack can do: this shows what it then refuses, and where.
    ...of("password + OTP", { journey: "otpLogin", having: "app" }, [...paces, open(120)]),
    ...of("password + security key", { journey: "keyLogin", having: "key" }, few),
    ...of("password + SMS", { journey: "smsLogin", having: "phone" }, paces),
    ...of(
      "OTP without the hash",
      { journey: "otpLogin", having: "app, password next to unhashed" },
      few,
    ),
    ...of("verify alone", { journey: "verify", having: "app", once: true }, clients.map(closed)),
    ...of("session check", { journey: "session", having: "app" }, [1, 32].map(closed)),
    ...of("OTP enrollment", { journey: "otpEnrollment", having: "neither", once: true }, few),
    ...of("SMS enrollment", { journey: "smsEnrollment", having: "neither", once: true }, few),
  ];
}
