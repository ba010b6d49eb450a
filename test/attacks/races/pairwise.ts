import { beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "../../support/client.ts";
import { KEY_SETTINGS } from "../../support/keys.ts";
import { useStack } from "../../support/used.ts";
import { brokenRules } from "./broken-rules.ts";
import { orders } from "./orders.ts";
import { type OutcomeOf, outcomes } from "./outcomes.ts";
import type { Part, Request } from "./request.ts";
import { partsMet, REQUESTS } from "./requests.ts";
import { type Points, type SlowGateway, slowGateway } from "./slow-gateway.ts";
import { type Needs, newWorld, together, type World } from "./worlds.ts";

/** How many races run at once, each with its own user. */
const AT_ONCE = 6;

/** More calls than any request makes. */
const MOST_CALLS = 40;

/**
 * Races every request of a user against every other and against itself: the first waits before one
 * of its calls until the second has finished. The outcome must equal that of one of the two orders.
 * `writes`, the short form: the first waits before its first write, so after all of its checks
 * outside of the write. `every call`: it waits before each call in turn.
 */
export function pairwiseRaces(points: Points) {
  const stack = useStack({
    environment: {
      ...KEY_SETTINGS,
      TRUSTED_PROXIES: "1",
      SMS_PER_HOUR: "100000",
      SMS_PER_COUNTRY_AND_HOUR: "100000",
    },
  });
  let gateway: SlowGateway;
  let outcomeOf: OutcomeOf;
  let difference: ReturnType<typeof orders>;
  beforeAll(() => {
    gateway = slowGateway(stack);
    outcomeOf = outcomes(stack, points === "every call" ? 2 : 1);
    difference = orders(stack, gateway, outcomeOf);
  });

  /** Everything left behind that is wrong, or that neither order leaves, in words. */
  async function judge(pair: Pair, world: World, answers: Answer<unknown>[]): Promise<string[]> {
    const sent = pair.map((request, n) => [request, answers[n] as Answer<unknown>] as const);
    const wrong = await brokenRules(stack, world, sent);
    const differs = await difference(pair, await outcomeOf(world, answers));
    return differs ? [...wrong, differs] : wrong;
  }

  /** The faults of one race; undefined if the first request makes no n-th call. */
  async function race(pair: Pair, needs: Needs, n: number): Promise<string[] | undefined> {
    const world = await newWorld(stack, needs);
    const [first, second] = pair;
    const slow = gateway.hold((api) => first.send(api, world, stack), points, n);
    if (!(await slow.reached)) {
      await slow.answer;
      return undefined;
    }
    const fast = await second.send(gateway.api, world, stack);
    slow.goOn();
    return judge(pair, world, [await slow.answer, fast]);
  }

  describe.each(REQUESTS.filter((first) => othersOf(first, points).length > 0))(
    "while this request waits: $name",
    (first) => {
      test("any other request goes before it, and the result is that of one of the two orders", async () => {
        const found: string[] = [];
        let waited = 0;
        const races = othersOf(first, points).map((second) => async () => {
          const needs = together(first.needs ?? {}, second.needs ?? {});
          for (let n = 0; needs && n < (points === "every call" ? MOST_CALLS : 1); n++) {
            const work = () =>
              race([first, second], needs, n).catch((error: Error) => [error.message]);
            const wrong = await gateway.undisturbed(work, (wrong) => !wrong?.length);
            if (!wrong) break;
            waited++;
            found.push(...wrong.map((what) => `${second.name}, before call ${n}: ${what}`));
          }
        });
        await inTurns(races, AT_ONCE);
        expect(found).toEqual([]);
        expect(waited).toBeGreaterThan(0);
      });
    },
  );

  test.each(REQUESTS)("twice at the same moment: $name", async (request) => {
    const { needs = {}, refused } = request;
    const work = async () => {
      const world = await newWorld(stack, needs);
      const answers = await Promise.all([1, 2].map(() => request.send(gateway.api, world, stack)));
      // At least one of the two succeeds.
      expect(answers.some(({ status }) => status < 400 || status === refused)).toBe(true);
      return judge([request, request], world, answers);
    };
    expect(await gateway.undisturbed(work, ({ length }) => length === 0)).toEqual([]);
  });
}

/**
 * The requests that overtake this one. In the full form: all. In the short form: enough to have two
 * for each part of the user that it shares with others. The search starts after the request itself,
 * so that all requests together cover many different pairs.
 */
function othersOf(first: Request, points: Points): Request[] {
  if (points === "every call") return REQUESTS;
  if (first.atomic) return [];
  const after = REQUESTS.indexOf(first) + 1;
  const meetings = new Map<Part, number>();
  return [...REQUESTS.slice(after), ...REQUESTS.slice(0, after - 1)].filter((second) => {
    if (!together(first.needs ?? {}, second.needs ?? {})) return false;
    const wanted = partsMet(first, second).filter((part) => (meetings.get(part) ?? 0) < 2);
    for (const part of wanted) meetings.set(part, (meetings.get(part) ?? 0) + 1);
    return wanted.length > 0;
  });
}

type Pair = readonly [Request, Request];

async function inTurns(work: (() => Promise<void>)[], atOnce: number) {
  const waiting = [...work];
  const turn = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
}
