import { configuredMethods } from "../../../store/methods.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { getMfaProfile } from "../../../store/postgres/profiles.ts";
import { countRecoveryCodes } from "../../../store/postgres/recovery-codes.ts";
import { listOpenChallenges } from "../../../store/redis/second-step/challenges.ts";
import type { Answer } from "../../support/client.ts";
import type { Stack } from "../../support/stack.ts";
import type { Request } from "./request.ts";
import { REQUESTS } from "./requests.ts";
import type { World } from "./worlds.ts";

/**
 * Events that are written exactly once for each success. Other events come from flows, which may
 * write one event for two equal requests, or for a request that got a 503 and was retried.
 */
const EXACT = new Set(["recovery_codes_made", "password_changed"]);

export type Sent = readonly [Request, Answer<unknown>];

/** The faults in a user's state that no pair of requests may cause. Empty if all is well. */
export async function brokenRules(
  stack: Stack,
  world: World,
  sent: readonly Sent[],
): Promise<string[]> {
  const { db, redis, clock } = stack.deps;
  const { person, token } = world;
  const now = clock.now();
  const wrong: string[] = [];
  const must = (holds: boolean, what: string) => holds || wrong.push(what);

  for (const [{ name }, { status }] of sent) must(status < 500, `${name} answered ${status}`);
  const succeeded = sent.filter(([, { status }]) => status < 400).map(([request]) => request);

  const profile = await getMfaProfile(db, person.id);
  if (!profile) throw new Error("The user is gone");
  const methods = configuredMethods(profile.devices);
  const { defaultMethod, requirement } = profile.user;
  const on = methods.length > 0;
  must(
    on || (await countRecoveryCodes(db, person.id, new Date(now))) === 0,
    "recovery codes without a device",
  );
  // Inactive devices keep their default, for when they are active again.
  const proven = profile.devices.filter(({ verifiedAt, inactiveAt }) => verifiedAt ?? inactiveAt);
  must(
    defaultMethod === null || proven.some(({ type }) => type === defaultMethod),
    "a default without a device",
  );
  const open = await listOpenChallenges(redis, person.id, now);
  must(on || open.length === 0, "an open challenge without a device");

  const isAlive = async (of: string) => (await stack.api.session(of)).status === 200;
  const session = await isAlive(token);
  must(on || requirement !== "required" || !session, "a session without what is required");
  const opened = sent.flatMap(([{ needs }, answer]) => (needs?.challenge ? tokenOf(answer) : []));
  for (const { name, ends } of succeeded) {
    must(!ends || !session, `a session that outlived: ${name}`);
    for (const other of ends === "every" ? opened : [])
      must(!(await isAlive(other)), `a session, opened meanwhile, that outlived: ${name}`);
  }

  const { events } = await listEvents(db, { userId: person.id, limit: 100 });
  const recorded = events.slice(0, events.length - world.events).map(({ type }) => type);
  for (const type of new Set(REQUESTS.flatMap(({ event }) => event ?? []))) {
    const done = succeeded.filter(({ event }) => event === type).length;
    const noted = recorded.filter((each) => each === type).length;
    const fits = EXACT.has(type) ? noted === done : noted >= Math.min(1, done);
    must(fits, `${done} successes and ${noted} events ${type}`);
  }
  return wrong;
}

/** The token of the session that a challenge opened. */
function tokenOf(answer: Answer<unknown>): string[] {
  if (answer.status >= 400) return [];
  const { session } = answer.body as { session?: { token?: string } };
  return session?.token ? [session.token] : [];
}
