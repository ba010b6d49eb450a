import type { Stack } from "../../support/stack.ts";
import type { Outcome, OutcomeOf } from "./outcomes.ts";
import type { Request } from "./request.ts";
import type { SlowGateway } from "./slow-gateway.ts";
import { newWorld, sessionOf, together, type World } from "./worlds.ts";

/**
 * Which of two requests comes first, and what of the other: it comes by the same session, by a new one
 * where the first has ended that, or not at all.
 */
type Order = { first: 0 | 1; rest: "by the same session" | "by a new session" | "nothing" };

/** Refusals that say: it was overtaken, and changed nothing; send it again. As if it had not been sent. */
const OVERTAKEN = new Set([
  "401 reauthentication_required",
  "401 unauthorized",
  "409 policy_conflict",
  // A recovery code that was good when it was looked at, and void when it was to be spent.
  "422 passcode_already_used",
]);
const NOT_SENT = "not sent";

/** Runs pairs of requests one after the other, each order once however often it is asked for. */
export function orders(stack: Stack, { api, undisturbed }: SlowGateway, outcomeOf: OutcomeOf) {
  const known = new Map<string, Promise<Outcome>>();

  function run(pair: readonly [Request, Request], order: Order): Promise<Outcome> {
    const inTurn = order.first === 0 ? pair : ([pair[1], pair[0]] as const);
    const key = [...inTurn.map(({ name }) => name), order.rest].join();
    const outcome =
      known.get(key) ??
      undisturbed(
        () => inOrder(inTurn, order.rest),
        () => false,
      );
    known.set(key, outcome);
    return order.first === 0 ? outcome : outcome.then(swapped);
  }

  /** What comes of them, the first one's answer first. */
  async function inOrder(
    [one, other]: readonly [Request, Request],
    rest: Order["rest"],
  ): Promise<Outcome> {
    const world = await newWorld(stack, together(one.needs ?? {}, other.needs ?? {}) ?? {});
    const first = await one.send(api, world, stack);
    if (rest === "nothing") {
      const { answers, left } = await outcomeOf(world, [first]);
      return {
        answers: [...answers, NOT_SENT],
        left: { ...left, codesTold: [...left.codesTold, []] },
      };
    }
    const by = rest === "by a new session" ? await withAnotherSession(stack, world) : world;
    return outcomeOf(world, [first, await other.send(api, by, stack)]);
  }

  /** Why what came of the pair, sent at once, is what comes of neither order; undefined where it is. */
  return async function difference(
    pair: readonly [Request, Request],
    raced: Outcome,
  ): Promise<string | undefined> {
    const tried: string[] = [];
    const isRepeated = isSame(pair) && !raced.answers.some(isRefused);
    for (const rest of ["by the same session", "by a new session", "nothing"] as const)
      for (const first of [1, 0] as const) {
        const last = 1 - first;
        if (rest === "nothing" && !isOvertaken(raced, last)) continue;
        if (rest === "by a new session") {
          const { answers } = await run(pair, { first, rest: "by the same session" });
          if (!isEnded(answers[last])) continue;
        }
        const ordered = await run(pair, { first, rest });
        const differs = compare(raced, isRepeated ? asOne(ordered, raced, last) : ordered);
        if (differs.length === 0) return undefined;
        tried.push(`${pair[first].name}, then the other ${rest}: ${differs.join(", ")}`);
      }
    return `came to ${JSON.stringify(raced)}; ${tried.join("; ")}`;
  };
}

const swapped = ({ answers, left }: Outcome): Outcome => ({
  answers: answers.toReversed(),
  left: { ...left, codesTold: left.codesTold.toReversed() },
});

/** The user logged in again as strong as before: a session of which nothing else is to be seen. */
async function withAnotherSession(stack: Stack, world: World): Promise<World> {
  const token = await sessionOf(
    stack,
    world.person,
    "member",
    world.needs.devices === undefined || world.needs.devices === "verified",
  );
  const [id = ""] = token.split(".");
  world.elsewhere.push(id);
  return { ...world, token };
}

/** Whether two requests ask for the same: be it by two faces that the same device is proven. */
const isSame = ([one, other]: readonly [Request, Request]) =>
  one === other || (one.event === "device_verified" && other.event === "device_verified");

/** The same, asked for twice at once, may be taken for one request that was repeated. */
const asOne = (ordered: Outcome, raced: Outcome, last: number): Outcome => ({
  ...ordered,
  answers: ordered.answers.map((answer, n) => (n === last ? (raced.answers[n] ?? "") : answer)),
});

/** Whether a device was dropped since what proves it was overtaken. */
const isDropped = ({ left }: Outcome) => left.events.includes("device_dropped");

const isOvertaken = (raced: Outcome, n: number) => {
  const answer = raced.answers[n] ?? "";
  return OVERTAKEN.has(answer) || (isDropped(raced) && isRefused(answer));
};

/** A request that comes by a session which has ended, at either face. */
const isEnded = (answer = "") => answer === "401 session_revoked" || answer === "401 unauthorized";

const isRefused = (answer = "") => Number(answer.slice(0, 3)) >= 400;

/**
 * What differs, in words. Three things may. Of a request that came before its session ended, and changed
 * nothing, another reason is told. A proof that was overtaken is refused for good: its device is dropped,
 * to be added anew (docs/decisions/0030). And a login by the password is told before its session is
 * opened, also where it is decided anew and asks for the second step.
 */
function compare(raced: Outcome, ordered: Outcome): string[] {
  const differs: string[] = [];
  const dropped = isDropped(raced);
  const expected = toldTooSoon(raced, dropped ? withoutUnproven(ordered.left) : ordered.left);
  for (const [n, answer] of raced.answers.entries()) {
    const wanted = ordered.answers[n] ?? "";
    const isAlike =
      answer === wanted ||
      (isRefused(answer) && (isEnded(wanted) || (dropped && isRefused(wanted)))) ||
      (wanted === NOT_SENT && isOvertaken(raced, n));
    if (!isAlike) differs.push(`request ${n + 1} was answered ${answer} instead of ${wanted}`);
  }
  for (const key of Object.keys(raced.left) as (keyof Outcome["left"])[]) {
    const [is, was] = [raced.left[key], expected[key]].map((value) => JSON.stringify(value));
    if (is !== was) differs.push(`${key} ${is} instead of ${was}`);
  }
  return differs;
}

const withoutUnproven = (left: Outcome["left"]): Outcome["left"] => ({
  ...left,
  devices: left.devices.filter((device) => !/ awaiting_(code|pin)$/.test(device)),
  events: [...left.events, "device_dropped"].sort(),
});

function toldTooSoon(raced: Outcome, left: Outcome["left"]): Outcome["left"] {
  const isAnew =
    raced.answers.includes("200 challenge") &&
    raced.left.events.includes("login_succeeded") &&
    !left.events.includes("login_succeeded");
  return isAnew ? { ...left, events: [...left.events, "login_succeeded"].sort() } : left;
}
