import { describe, expect, test } from "vitest";
import { configuredMethods } from "../../../store/methods.ts";
import { listEvents } from "../../../store/postgres/events.ts";
import { getMfaProfile } from "../../../store/postgres/profiles.ts";
import { countRecoveryCodes } from "../../../store/postgres/recovery-codes.ts";
import { listOpenChallenges } from "../../../store/redis/challenges.ts";
import type { Answer } from "../../support/client.ts";
import type { Person } from "../../support/people.ts";
import type { Stack } from "../../support/stack.ts";
import { useStack } from "../../support/used.ts";
import { newWorld, REQUESTS, type Request, strongSession, type World } from "./requests.ts";
import { everyCall, slowGateway, writes } from "./slow-gateway.ts";

/** How many races run at once, each with a user of its own. */
const AT_ONCE = 6;

/**
 * Told as often as it was answered. What a flow does may be told once of two equal requests, and of one
 * that was answered by 503 and sent again.
 */
const EXACT = new Set(["recovery_codes_made", "password_changed"]);

/** No request makes more calls. */
const MOST_CALLS = 40;

/**
 * Every request of a user against every other and against itself, in both orders: the first waits
 * before one of its calls until the second is through. `first_write`: before the first that changes
 * something, which is after all of its checks that stand outside. `every`: before each call in turn.
 */
export function pairwiseRaces(points: "first_write" | "every") {
  const stack = useStack();
  let common: Promise<{ accountId: string; chief: string; support: string }> | undefined;

  async function people() {
    const chief = await stack.createUser({ role: "administrator" });
    const support = await stack.createUser({ role: "support" });
    return {
      accountId: chief.accountId,
      chief: await strongSession(stack, chief, "administrator"),
      support: await strongSession(stack, support, "support"),
    };
  }

  const world = async (...requests: Request[]) => {
    common ??= people();
    return newWorld(stack, await common, requests);
  };

  /** One race; undefined where the first makes no such call. */
  async function race(first: Request, second: Request, n: number) {
    const own = await world(first, second);
    const slow = slowGateway(stack, points === "every" ? everyCall : writes, n);
    const overtaken = first.send(slow.api, own, stack).finally(slow.ended);
    // Looked at below, after the other.
    overtaken.catch(() => {});
    const there = await slow.reached;
    if (!there) {
      await overtaken;
      return undefined;
    }
    const fast = await second.send(stack.api, own, stack);
    slow.goOn();
    const answers = [await overtaken, fast] as const;
    await expectSound(stack, own, [
      [first, answers[0]],
      [second, answers[1]],
    ]);
    return answers;
  }

  const waiting = REQUESTS.filter(({ atomic }) => points === "every" || !atomic);
  describe.each(waiting)("while somebody waits to $name", (first) => {
    test("any other request goes before it, and nothing is left that could not be", async () => {
      const found: string[] = [];
      const races = REQUESTS.map((second) => async () => {
        for (let n = 0; n < (points === "every" ? MOST_CALLS : 1); n++) {
          const ran = await race(first, second, n).catch((error: Error) => {
            found.push(`${second.name}, before call ${n}: ${error.message}`);
            return undefined;
          });
          if (!ran) break;
        }
      });
      await inTurns(races, AT_ONCE);
      expect(found).toEqual([]);
    });
  });

  test.each(REQUESTS)("twice at the same moment: $name", async (request) => {
    const own = await world(request);
    const answers = await Promise.all([1, 2].map(() => request.send(stack.api, own, stack)));
    await expectSound(
      stack,
      own,
      answers.map((answer) => [request, answer] as const),
    );
    // Of two somebody is served.
    expect(answers.some(({ status }) => status < 400)).toBe(true);
  });
}

async function inTurns(work: (() => Promise<void>)[], atOnce: number) {
  const waiting = [...work];
  const turn = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
}

type Sent = readonly [Request, Answer<unknown>];

/** What holds of a user whatever was asked for at the same time. Throws in words. */
async function expectSound(stack: Stack, world: World, sent: readonly Sent[]) {
  const { db, redis, clock } = stack.deps;
  const { person, token } = world;
  const now = clock.now();
  const wrong: string[] = [];
  const must = (holds: boolean, what: string) => holds || wrong.push(what);

  for (const [{ name }, { status }] of sent) must(status < 500, `${name} answered ${status}`);
  const succeeded = sent.filter(([, { status }]) => status < 400).map(([request]) => request);
  const did = (name: string) => succeeded.some((request) => request.name === name);

  const profile = await getMfaProfile(db, person.id);
  if (!profile) throw new Error("The user is gone");
  const methods = configuredMethods(profile.devices);
  const { defaultMethod, requirement } = profile.user;
  const on = methods.length > 0;
  must(
    on || (await countRecoveryCodes(db, person.id, new Date(now))) === 0,
    "recovery codes without a device",
  );
  must(defaultMethod === null || methods.includes(defaultMethod), "a default without a device");
  const open = await listOpenChallenges(redis, person.id, now);
  must(on || open.length === 0, "an open challenge without a device");

  const session = (await stack.api.session(token)).status === 200;
  for (const name of ["change the password", "a reset by Support", "give another role", "log out"])
    must(!did(name) || !session, `a session that outlived: ${name}`);
  must(!did("verify another app as the default") || !session, "a session from before the default");
  must(on || requirement !== "required" || !session, "a session without what is required");
  for (const [{ name }, answer] of sent) {
    const opened = name === "answer a challenge" && answer.status < 400 && tokenOf(answer);
    if (!opened) continue;
    const alive = (await stack.api.session(opened)).status === 200;
    for (const ending of ["change the password", "a reset by Support", "give another role"])
      must(!did(ending) || !alive, `a session, opened meanwhile, that outlived: ${ending}`);
  }

  const told = await eventsOf(stack, person);
  for (const type of new Set(REQUESTS.flatMap(({ event }) => event ?? []))) {
    const done = succeeded.filter(({ event }) => event === type).length;
    const noted = told.filter((each) => each === type).length;
    const fits = EXACT.has(type) ? noted === done : noted >= Math.min(1, done);
    must(fits, `${done} successes and ${noted} events ${type}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join("; "));
}

const tokenOf = ({ body }: Answer<unknown>) =>
  (body as { session?: { token?: string } }).session?.token;

/** The types of the user's events, without those that prepared the race. */
async function eventsOf({ deps }: Stack, { id: userId }: Person) {
  const { events } = await listEvents(deps.db, { userId, limit: 100 });
  return events.map(({ type }) => type);
}
