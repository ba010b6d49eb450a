import { AsyncLocalStorage } from "node:async_hooks";

/**
 * How long all that one page asks of Temporal may take together, in ms: on a slow day waiting is better
 * than a page with an error. The claim of a form (store/redis/keys.ts) lasts longer.
 */
export const PAGE_PATIENCE_MS = 10_000;

const deadlines = new AsyncLocalStorage<number>();

/** Does the work of a page, whose calls of Temporal share one patience from now on. */
export const withinPageTime = <T>(work: () => T): T =>
  deadlines.run(performance.now() + PAGE_PATIENCE_MS, work);

/** How many ms are left to the page under way; outside of one, those that a page begins with. */
export const pageTimeLeft = (): number =>
  Math.max(0, (deadlines.getStore() ?? performance.now() + PAGE_PATIENCE_MS) - performance.now());
