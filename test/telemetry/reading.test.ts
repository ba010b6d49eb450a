import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sharedReading } from "../../telemetry/reading.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store that counts its questions and answers when the test says so. */
function store() {
  const answers: ((value: number) => void)[] = [];
  const read = () => new Promise<number>((resolve) => answers.push(resolve));
  return { read, answers };
}

test("many scrapes within five seconds ask the store once", async () => {
  const { read, answers } = store();
  const reading = sharedReading(read, { otherwise: -1 });
  const asked = [reading(), reading()];
  expect(answers.length).toBe(1);
  answers[0]?.(7);
  expect(await Promise.all(asked)).toEqual([7, 7]);
  await vi.advanceTimersByTimeAsync(4_999);
  expect(await reading()).toBe(7);
  expect(answers.length).toBe(1);

  await vi.advanceTimersByTimeAsync(1);
  const next = reading();
  answers[1]?.(8);
  expect(await next).toBe(8);
});

test("a store that hangs delays a scrape by a second, and gets no second question", async () => {
  const { read, answers } = store();
  const reading = sharedReading(read, { otherwise: -1 });
  for (const _ of [1, 2, 3]) {
    const asked = reading();
    expect(answers.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toBe(-1);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  const late = reading();
  expect(answers.length).toBe(1);
  answers[0]?.(7);
  expect(await late).toBe(7);
});

test("a store that fails is not asked again at once", async () => {
  const read = vi.fn(async () => {
    throw new Error("away");
  });
  const reading = sharedReading(read, { otherwise: "away" as const });
  expect(await reading()).toBe("away");
  expect(await reading()).toBe("away");
  expect(read).toHaveBeenCalledTimes(1);
});
