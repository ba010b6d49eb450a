import { inject } from "vitest";

/** How many gateways and workers a stack has: two of each where it is scaled out. */
export const copies = () => Array.from({ length: inject("redisClusterUrl") ? 2 : 1 }, (_, n) => n);

type Gateway = { request: (...args: never[]) => unknown; fetch: (...args: never[]) => unknown };

/** The first of the gateways, whose requests go to all of them in turn. */
export function inTurn<App extends Gateway>(gateways: App[]): App {
  let turn = 0;
  const next = () => gateways[turn++ % gateways.length] as App;
  const each = (name: "request" | "fetch") => ({
    value: (...args: never[]) => next()[name](...args),
  });
  return Object.create(gateways[0] as App, { request: each("request"), fetch: each("fetch") });
}
