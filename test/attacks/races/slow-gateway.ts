import { AsyncLocalStorage } from "node:async_hooks";
import { createApp } from "../../../api/app.ts";
import type { Deps } from "../../../core/deps.ts";
import { type ApiClient, patient, type Send } from "../../support/client.ts";
import { checkedClient, type Stack } from "../../support/stack.ts";

/** A call of a store or of Temporal: `db.transaction`, `redis.openSession`, `flows.removeDevices`. */
type Call = string;

/** How long a request is held at most (ms): the other may itself wait for it, behind a gate. */
const HELD_MS = 1_000;

const TRIES = 4;

/** What changes something, or hands out what was decided. */
const WRITES =
  /^(db\.transaction|flows\.(start|move|remove|resend)\w+|redis\.(openSession|strengthenSession|openChallenge|withdrawChallenge|revoke|endSession|keepOneSession|takeOtpStep|judgePasscode))$/;

/** Before which calls a request waits. */
export type Points = "writes" | "every call";

/** What becomes of requests on their way. */
type Way = { pause?: (call: Call) => Promise<void>; seen: { retried: boolean } };

/** A gateway of the same code whose requests wait where they are told to. */
export function slowGateway(stack: Stack) {
  const ways = new AsyncLocalStorage<Way>();
  const pause = async (call: Call) => ways.getStore()?.pause?.(call);
  const { db, redis, flows } = stack.deps;
  const parts: Partial<Deps> = {
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
   * Sends a request that waits before the n-th (from 0) of those calls, until `goOn` is called. `reached`
   * resolves with whether it came so far, once it did or has ended; `passed` are its calls of either kind.
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
    // Looked at after the other's.
    answer.catch(() => {});
    return { answer, reached, goOn, passed };
  }

  /**
   * Does work, and again where the result is not good and a request was answered by 503 and sent again,
   * as happens on a slow day: it may have gone on, and found what it had done itself.
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

/** The same object, each of whose calls (or only those of these names) waits first. */
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
      // A chain of commands begins without a call.
      if (typeof key !== "string" || key === "multi" || (only && !only.includes(key))) return call;
      return async (...args: unknown[]) => {
        await pause(`${name}.${key}`);
        return call(...args);
      };
    },
  });
}
