import { AsyncLocalStorage } from "node:async_hooks";
import { createApp } from "../../../api/app.ts";
import type { CoreDeps } from "../../../core/deps.ts";
import { keys } from "../../../store/redis/keys.ts";
import { type ApiClient, patient, type Send } from "../../support/client.ts";
import { checkedClient, type Stack } from "../../support/stack.ts";

/**
 * A call of a store or of Temporal: `db.transaction`, `redis.openSession`, `flows.removeDevices`.
 */
type Call = string;

/** The longest time (ms) that a request is held, because the other may be waiting for it. */
const HELD_MS = 1_000;

const TRIES = 4;

/** Calls that change something, or that act on a decision. */
const WRITES =
  /^(db\.transaction|flows\.(start|move|remove|resend)\w+|redis\.(openSession|strengthenSession|openChallenge|withdrawChallenge|revoke|endSession|keepOneSession|takeOtpStep|judgePasscode))$/;

/** The calls before which a request waits. */
export type Points = "writes" | "every call";

/** How one request is slowed, and what was seen of it. */
type Way = { pause?: (call: Call) => Promise<void>; seen: { retried: boolean } };

/** A second gateway of the stack whose requests can wait before a chosen call. */
export function slowGateway(stack: Stack) {
  const ways = new AsyncLocalStorage<Way>();
  const pause = async (call: Call) => ways.getStore()?.pause?.(call);
  const { db, redis, flows } = stack.deps;
  const parts: Partial<CoreDeps> = {
    db: slowed(db, "db", pause, ["transaction"]),
    redis: slowed(redis, "redis", pause),
    flows: slowed(flows, "flows", pause),
  };
  const { request } = createApp({ ...stack.deps, ...parts });
  const noted: Send = async (path, init) => {
    const answer = await request(path, init);
    const seen = ways.getStore()?.seen;
    if (answer.status === 503 && seen) seen.retried = true;
    return answer;
  };
  const api = checkedClient({ request: patient(noted) }, stack.document, stack.logged);

  /**
   * Sends a request that waits before the n-th (from 0) of these calls until `goOn` is called.
   * `reached` resolves with true once it waits there, or with false if it ends before. `passed`
   * lists its calls.
   */
  function hold<T>(send: (api: ApiClient) => Promise<T>, points: Points, n: number) {
    const [reached, arrive] = gate<boolean>();
    const [held, goOn] = gate<void>();
    let count = 0;
    const passed: Call[] = [];
    const halt = async (call: Call) => {
      passed.push(call);
      if ((points === "writes" && !WRITES.test(call)) || count++ !== n) return;
      arrive(true);
      const timer = setTimeout(goOn, HELD_MS);
      await held;
      clearTimeout(timer);
    };
    const { seen } = ways.getStore() ?? { seen: { retried: false } };
    const answer = ways.run({ pause: halt, seen }, () => send(api)).finally(() => arrive(false));
    // The caller awaits it later; without this a rejection would be unhandled.
    answer.catch(() => {});
    return { answer, reached, goOn, passed };
  }

  /**
   * Does work. Does it again if the result is wrong and a request got a 503 and was retried, as on
   * a slow machine: the first try may have taken effect, and the retry then met its result.
   */
  async function undisturbed<T>(
    work: () => Promise<T>,
    isGood: (result: T) => boolean,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      const seen = { retried: false };
      const result = await ways.run({ seen }, work);
      if (isGood(result) || !seen.retried || tries === TRIES) return result;
    }
  }

  return { api, hold, undisturbed };
}

export type SlowGateway = ReturnType<typeof slowGateway>;

function gate<T>(): [Promise<T>, (value: T) => void] {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return [opened, open];
}

/**
 * Read once a second for the whole service, so not at the same place in each request: it does not
 * wait and is not counted.
 */
const isOccasional = ([key]: unknown[]) => key === keys.generation();

/** The same object, but each call (or only the calls in `only`) waits first. */
function slowed<T extends object>(
  object: T,
  name: string,
  pause: (call: Call) => Promise<void>,
  only?: string[],
): T {
  return new Proxy(object, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const call = value.bind(target);
      // `multi` only starts a chain of commands and calls nothing.
      if (typeof key !== "string" || key === "multi" || (only && !only.includes(key))) return call;
      return async (...args: unknown[]) => {
        if (!isOccasional(args)) await pause(`${name}.${key}`);
        return call(...args);
      };
    },
  });
}
