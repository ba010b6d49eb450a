import { createApp } from "../../api/app.ts";
import type { Deps } from "../../core/deps.ts";
import { codeAt } from "./apps.ts";
import { createClient } from "./client.ts";
import { checkedClient, type Stack } from "./stack.ts";

/** A client that takes a 503 for an answer, of a gateway of the stack with other parts. */
export function impatientClient(stack: Stack, parts: Partial<Deps> = {}) {
  const { request } = createApp({ ...stack.deps, ...parts });
  return createClient((path, init) => request(path, init));
}

/** What somebody who attacks a flow does to it, and what they see of it. */
export function flowAttacks(stack: Stack) {
  return {
    /** A client that takes a 503 for an answer. */
    impatient: () =>
      checkedClient(
        { request: (path, init) => stack.app.request(path, init) },
        stack.document,
        () => [],
      ),

    /** The code that an app of that secret shows now. */
    now: (secret: string) => codeAt(secret, stack.clock.now()),

    /** The attempts that a challenge tells to be left. */
    remaining: async (id: string) => (await stack.api.challenge(id)).body.attemptsRemaining,

    /** The events of that type that the session's user reads of. */
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
