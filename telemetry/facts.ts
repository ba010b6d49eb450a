import { channel } from "node:diagnostics_channel";

/**
 * What parts of the service report about their work; durations in seconds. No fact names a user.
 */
export type Facts = {
  /** One step of a login has ended, with a result or with a problem's code. */
  "login-step": { step: "password" | "passcode" | "passkey"; outcome: string; method?: string };
  /** A wrong passcode that locked a user. */
  lock: Record<string, never>;
  /** A message was not sent because this budget is used up. */
  "send-refused": { limit: string };
  "temporal-call": { call: string; outcome: "ok" | "refused" | "away" | "failed"; seconds: number };
  /** One attempt of an activity; `outcome` is "ok" or its failure's type. */
  activity: { activity: string; outcome: string; seconds: number };
  /** One try with one SMS provider; `outcome` is "sent", a permanent reason, or "failed". */
  sms: { provider: string; outcome: string };
  /**
   * One attempt to deliver to a webhook; `outcome` is the answer's status, or why there was none.
   */
  webhook: { outcome: string };
  /** A password waited this long for its turn to be hashed. */
  "password-wait": { seconds: number };
  "database-query": { outcome: "ok" | "failed"; seconds: number };
};

const nameOf = (fact: keyof Facts) => `second-step:${fact}`;

/** Reports a fact to the listeners in this process. Without a listener it costs almost nothing. */
export function publish<F extends keyof Facts>(fact: F, facts: Facts[F]) {
  channel(nameOf(fact)).publish(facts);
}

/** Listens to every fact of this kind as long as the process lives. */
export function subscribe<F extends keyof Facts>(fact: F, hear: (facts: Facts[F]) => void) {
  channel(nameOf(fact)).subscribe((message) => hear(message as Facts[F]));
}
