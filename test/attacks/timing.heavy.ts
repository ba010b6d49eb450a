// The long form of timing.test.ts. A thousand samples of each kind show a difference that is far
// smaller than the noise of one request.
import { expect, test } from "vitest";
import { compare, differs } from "../support/timing.ts";
import { useStack } from "../support/used.ts";
import { ALIKE, timeLogins } from "./timed-logins.ts";

const SAMPLES = 1000;

const stack = useStack();

test("a thousand timings of each kind do not show whether a user exists", async () => {
  const times = await timeLogins(stack, SAMPLES);
  const comparisons = [...ALIKE, ["nobody", "cheap"] as const].map(([one, other]) => {
    const { superiority, bound, medians } = compare(times[one], times[other]);
    const [a, b] = medians.map((ms) => `${ms.toFixed(2)} ms`);
    const off = `${superiority.toFixed(3)} (0.5 ± ${bound.toFixed(3)})`;
    return {
      one,
      other,
      a,
      b,
      superiority: off,
      differs: differs({ superiority, bound, medians }),
    };
  });
  console.table(comparisons);
  const found = comparisons.filter(({ differs }) => differs).map(({ other }) => other);
  // The measurement finds the last kind, which is a leak on purpose.
  expect(found).toEqual(["cheap"]);
}, 1_200_000);
