import type { Stack } from "../../support/stack.ts";
import type { Outcome, OutcomeOf } from "./outcomes.ts";
import type { Request } from "./request.ts";
import type { SlowGateway } from "./slow-gateway.ts";
import { newWorld, sessionOf, together, type World } from "./worlds.ts";

/**
 * Which of two requests comes first, and how the other is sent: by the same session, by a new
 * session if the first request ended it, or not at all.
 */
type Order = { first: 0 | 1; rest: "by the same session" | "by a new session" | "nothing" };

/** Refusals of an overtaken request that changed nothing: the same as if it was never sent. */
const OVERTAKEN = new Set([
  "401 reauthentication_required",
  "401 unauthorized",
  "409 policy_conflict",
  // A recovery code that was valid when checked, but no longer when it was used.
  "422 passcode_already_used",
]);
const NOT_SENT = "not sent";

/** Runs pairs of requests one after the other. Each order runs once; its outcome is cached. */
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

  /** The outcome of the pair. Answers are in the order of the pair. */
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

  /** Why the outcome of the parallel pair fits neither order; undefined if it fits one. */
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

/** Gives the user a new session as strong as before, which the comparison ignores. */
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

/** Whether two requests ask for the same, for example to verify one device at two APIs. */
const isSame = ([one, other]: readonly [Request, Request]) =>
  one === other || (one.event === "device_verified" && other.event === "device_verified");

/** Two equal parallel requests may be treated as one request that was repeated. */
const asOne = (ordered: Outcome, raced: Outcome, last: number): Outcome => ({
  ...ordered,
  answers: ordered.answers.map((answer, n) => (n === last ? (raced.answers[n] ?? "") : answer)),
});

/** Whether a device was dropped because its verification was overtaken. */
const isDropped = ({ left }: Outcome) => left.events.includes("device_dropped");

const isOvertaken = (raced: Outcome, n: number) => {
  const answer = raced.answers[n] ?? "";
  return OVERTAKEN.has(answer) || (isDropped(raced) && isRefused(answer));
};

/** Whether the answer says that the session has ended, at either API. */
const isEnded = (answer = "") => answer === "401 session_revoked" || answer === "401 unauthorized";

const isRefused = (answer = "") => Number(answer.slice(0, 3)) >= 400;

/**
 * The differences, in words. Three differences are allowed. A request whose session ended, and that
 * changed nothing, may give another reason. An overtaken verification is refused for good: its
 * device is dropped and must be added again (docs/decisions/0030). A login by password writes its
 * event before its session opens, even if it is then decided again and asks for the second step.
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
