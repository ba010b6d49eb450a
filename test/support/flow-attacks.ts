import { createApp } from "../../api/app.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { codeAt } from "./apps.ts";
import { createClient } from "./client.ts";
import { checkedClient, type Stack } from "./stack.ts";

/** A client that does not retry a 503. Its gateway is the stack's with these parts replaced. */
export function impatientClient(stack: Stack, parts: Partial<CoreDeps> = {}) {
  const { request } = createApp({ ...stack.deps, ...parts });
  return createClient((path, init) => request(path, init));
}

/** Helpers for attacks on a flow: what an attacker does, and what they can see. */
export function flowAttacks(stack: Stack) {
  return {
    /** A client that does not retry a 503. */
    impatient: () =>
      checkedClient(
        { request: (path, init) => stack.app.request(path, init) },
        stack.document,
        () => [],
      ),

    /** The code that an app with this secret shows now. */
    now: (secret: string) => codeAt(secret, stack.clock.now()),

    /** The attempts left, as the challenge shows them. */
    remaining: async (id: string) => (await stack.api.challenge(id)).body.attemptsRemaining,

    /** The events of this type in the session user's activity. */
    async eventsOf(token: string, type: string) {
      const path = `/v1/me/activity?type=${type}`;
      type Page = { events: { type: string; detail: object }[] };
      return (await stack.api.call<Page>("GET", path, { token })).body.events;
    },

    /** Does the work while no worker runs. */
    async withoutWorker<T>(work: () => Promise<T>): Promise<T> {
      await stack.stopWorker();
      try {
        return await work();
      } finally {
        await stack.restartWorker();
      }
    },
  };
}
