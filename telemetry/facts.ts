import { channel } from "node:diagnostics_channel";

/** What parts of the service tell of their work; durations in seconds. No fact names a user. */
export type Facts = {
  /** One step of a login has ended: with a result, or with the problem of that code. */
  "login-step": { step: "password" | "passcode"; outcome: string; method?: string };
  /** The wrong passcode that was one too many. */
  lock: Record<string, never>;
  /** A message was not sent, since that budget is spent. */
  "send-refused": { limit: string };
  "temporal-call": { call: string; outcome: "ok" | "refused" | "away" | "failed"; seconds: number };
  /** One attempt of an activity; `outcome` is "ok" or its failure's type. */
  activity: { activity: string; outcome: string; seconds: number };
  /** One try of one provider of SMS; `outcome` is "sent", a lasting reason, or "failed". */
  sms: { provider: string; outcome: string };
  /** One attempt to deliver to a webhook; `outcome` is the answer's status, or why there was none. */
  webhook: { outcome: string };
  "database-query": { outcome: "ok" | "failed"; seconds: number };
};

const nameOf = (fact: keyof Facts) => `second-step:${fact}`;

/** Tells a fact to whoever listens in this process; without a listener it costs next to nothing. */
export function publish<F extends keyof Facts>(fact: F, facts: Facts[F]) {
  channel(nameOf(fact)).publish(facts);
}

/** Hears every fact of that kind for as long as the process lives. */
export function subscribe<F extends keyof Facts>(fact: F, hear: (facts: Facts[F]) => void) {
  channel(nameOf(fact)).subscribe((message) => hear(message as Facts[F]));
}
