import { inject } from "vitest";

/** One entry for each gateway and worker of a stack: two on a Redis Cluster, otherwise one. */
export const copies = () => Array.from({ length: inject("redisClusterUrl") ? 2 : 1 }, (_, n) => n);

type Gateway = { request: (...args: never[]) => unknown; fetch: (...args: never[]) => unknown };

/** One gateway object that sends requests to all these gateways in turn. */
export function inTurn<App extends Gateway>(gateways: App[]): App {
  let turn = 0;
  const next = () => gateways[turn++ % gateways.length] as App;
  const each = (name: "request" | "fetch") => ({
    value: (...args: never[]) => next()[name](...args),
  });
  return Object.create(gateways[0] as App, { request: each("request"), fetch: each("fetch") });
}
