// I send wrong passwords for names of my list and look only at the clock. If a name that exists
// takes a millisecond longer or shorter, enough samples show it. (`npm run test:timing` takes
// more.)
import { expect, test } from "vitest";
import { limit } from "../support/limits.ts";
import { compare, differs } from "../support/timing.ts";
import { useStack } from "../support/used.ts";
import { ALIKE, timeLogins } from "./timed-logins.ts";

const SAMPLES = 50;

const stack = useStack();

test(
  "the time of an answer does not show whether a user name or challenge exists; a cheaper hash would",
  async () => {
    const times = await timeLogins(stack, SAMPLES);
    for (const [one, other] of ALIKE) {
      const compared = compare(times[one], times[other]);
      expect(differs(compared), `${one}, ${other}: ${JSON.stringify(compared)}`).toBe(false);
    }
    // The same measurement finds a real leak.
    const leak = compare(times.nobody, times.cheap);
    expect(differs(leak), JSON.stringify(leak)).toBe(true);
  },
  limit(120_000),
);
