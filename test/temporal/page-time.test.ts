import { Client, Connection } from "@temporalio/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createCalls } from "../../temporal/calls.ts";
import { TemporalAway } from "../../temporal/errors.ts";
import { pageTimeLeft, withinPageTime } from "../../temporal/page-time.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const calls = createCalls(new Client({ connection: Connection.lazy() }), pageTimeLeft);
const within = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = () => new Promise<never>(() => {});

test("one page waits ten seconds for all its calls to Temporal together", async () => {
  let refusal: unknown;
  const page = withinPageTime(async () => {
    await calls.call("start", undefined, within(6_000));
    await calls.call("result", undefined, never).catch((error) => {
      refusal = error;
    });
  });
  await vi.advanceTimersByTimeAsync(9_900);
  expect(refusal).toBeUndefined();
  await vi.advanceTimersByTimeAsync(200);
  expect(refusal).toBeInstanceOf(TemporalAway);
  await page;
});

test("the next page has its own ten seconds", async () => {
  const pages = [0, 1].map(() =>
    withinPageTime(() => calls.call("start", undefined, within(9_000))),
  );
  await vi.advanceTimersByTimeAsync(9_100);
  await Promise.all(pages);
  const next = withinPageTime(() => calls.call("start", undefined, within(9_000)));
  await vi.advanceTimersByTimeAsync(9_100);
  await next;
});
