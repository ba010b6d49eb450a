import type { Deps } from "../../../api/deps.ts";
import { gatewayOver, type Stack } from "../../support/stack.ts";

/** A call of a store or of Temporal: `db.transaction`, `redis.openSession`, `flows.removeDevices`. */
type Call = string;

/** How long a request is held at most (ms): the other may itself wait for it, behind a gate. */
const HELD_MS = 3_000;

/**
 * A gateway of the same code that is slow at one point: before the n-th (from 0) of those calls that
 * are `points`. `reached` resolves with whether a request came so far once it did, or once `ended` was
 * told; it goes on when `goOn` is called.
 */
export function slowGateway(stack: Stack, points: (call: Call) => boolean, n: number) {
  let count = 0;
  let arrive: (there: boolean) => void = () => {};
  let goOn: () => void = () => {};
  const reached = new Promise<boolean>((resolve) => {
    arrive = resolve;
  });
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const pause = async (call: Call) => {
    if (!points(call) || count++ !== n) return;
    arrive(true);
    const timer = setTimeout(goOn, HELD_MS);
    await held;
    clearTimeout(timer);
  };
  const { db, redis, flows } = stack.deps;
  const parts: Partial<Deps> = {
    db: slowed(db, "db", pause, ["transaction"]),
    redis: slowed(redis, "redis", pause),
    flows: slowed(flows, "flows", pause),
  };
  return {
    api: gatewayOver(stack, parts),
    reached,
    goOn: () => goOn(),
    ended: () => arrive(false),
  };
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

/** What changes something, or hands out what was decided. */
const WRITES =
  /^(db\.transaction|flows\.(start|move|remove)\w+|redis\.(openSession|strengthenSession|openChallenge|withdrawChallenge|revoke|endSession|takeOtpStep|judgePasscode))$/;

export const writes = (call: Call) => WRITES.test(call);
export const everyCall = () => true;
