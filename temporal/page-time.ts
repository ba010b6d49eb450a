import { AsyncLocalStorage } from "node:async_hooks";

/**
 * How long all calls of one page to Temporal may take together, in ms: on a slow day waiting is
 * better than a page with an error. The claim of a form (store/redis/keys.ts) lasts longer.
 */
export const PAGE_PATIENCE_MS = 10_000;

const deadlines = new AsyncLocalStorage<number>();

/** Runs the work of a page. All its calls to Temporal share one time limit from now on. */
export const withinPageTime = <T>(work: () => T): T =>
  deadlines.run(performance.now() + PAGE_PATIENCE_MS, work);

/** How many ms the current page has left. Outside a page: the full time. */
export const pageTimeLeft = (): number =>
  Math.max(0, (deadlines.getStore() ?? performance.now() + PAGE_PATIENCE_MS) - performance.now());
