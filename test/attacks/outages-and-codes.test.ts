// Temporal is slow for one of my requests: it gets a 503, and the app's code may be used again. Can
// the code then open two sessions, by a faster request or by another login? And does the owner lose
// anything when their own request gets the 503?
import { describe, expect, test } from "vitest";
import { TemporalAway } from "../../temporal/errors.ts";
import type { Flows } from "../../temporal/flows.ts";
import { codeAt, registerApp, userWithApp } from "../support/apps.ts";
import type { ApiClient } from "../support/client.ts";
import { impatientClient } from "../support/flow-attacks.ts";
import { expectProblem } from "../support/problems.ts";
import { isDone, logInByPassword, startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

const now = (secret: string) => codeAt(secret, stack.clock.now());

/** A client without retries, at a gateway that does `before` ahead of each Update. */
function impatient(before: (update: string) => Promise<void>): ApiClient {
  const { flows } = stack.deps;
  const slowed = {
    ...flows,
    async moveChallenge(...args: Parameters<Flows["moveChallenge"]>) {
      await before(args[1]);
      return flows.moveChallenge(...args);
    },
    async moveEnrollment(...args: Parameters<Flows["moveEnrollment"]>) {
      await before(args[1]);
      return flows.moveEnrollment(...args);
    },
  };
  return impatientClient(stack, { flows: slowed as typeof flows });
}

/** A client of a gateway that cannot reach Temporal. */
const away = () =>
  impatient(async () => {
    throw new TemporalAway();
  });

/** A gateway whose flow answers only when the test says so, and how. */
function waiting() {
  let reach = () => {};
  let end: (error?: Error) => void = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const api = impatient(() => {
    reach();
    return ended;
  });
  return {
    api,
    reached,
    answer: () => end(),
    timeOut: () => end(new TemporalAway()),
  };
}

describe("a login by app whose flow did not answer in time", () => {
  async function challenged() {
    const { user, secret } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    const other = await startChallenge(stack, user);
    return { user, code: now(secret), id, other: other.id };
  }

  test("succeeds with the same code, at the same challenge or in a new login", async () => {
    const [one, two] = [await challenged(), await challenged()];
    for (const { id, code } of [one, two])
      expectProblem(await away().verifyPasscode(id, code), "service_unavailable");
    expect((await stack.api.verifyPasscode(one.id, one.code)).status).toBe(200);
    expect((await stack.api.verifyPasscode(two.other, two.code)).status).toBe(200);
    // Each code opened only one session.
    expectProblem(await stack.api.verifyPasscode(one.other, one.code), "passcode_already_used");
    expectProblem(await stack.api.verifyPasscode(two.id, two.code), "passcode_already_used");
  });

  test("attack: does not give back a code that has opened a session meanwhile", async () => {
    const { id, other, code } = await challenged();
    const slow = waiting();
    const late = slow.api.verifyPasscode(id, code);
    await slow.reached;
    expect((await stack.api.verifyPasscode(id, code)).status).toBe(200);
    slow.timeOut();
    expectProblem(await late, "service_unavailable");
    expectProblem(await stack.api.verifyPasscode(other, code), "passcode_already_used");
  });

  test("attack: opens no session with a code that was given back and has opened one since", async () => {
    const { id, other, code } = await challenged();
    const slow = waiting();
    const late = slow.api.verifyPasscode(id, code);
    await slow.reached;
    expectProblem(await away().verifyPasscode(id, code), "service_unavailable");
    const { token } = (await stack.api.verifyPasscode(other, code)).body.session;
    slow.answer();
    expectProblem(await late, "passcode_already_used");
    const { sessions } = (await stack.api.sessions(token)).body;
    expect(sessions).toHaveLength(1);
  });
});

describe("the set-up of an app whose flow did not answer in time", () => {
  const verify = (api: ApiClient, token: string, id: string, code: string, makeDefault: boolean) =>
    api.call<{ signedOut: boolean }>("POST", `/v1/me/devices/${id}/verify`, {
      token,
      body: { code, makeDefault },
    });

  async function setUp() {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const { device, secret } = await registerApp(stack, token);
    return { user, token, id: device.id, code: now(secret), secret };
  }

  test("succeeds with the same code, which then opens no login; the next code does", async () => {
    const { user, token, id, code, secret } = await setUp();
    expectProblem(await verify(away(), token, id, code, true), "service_unavailable");
    expect(isDone(await verify(stack.api, token, id, code, true))).toBe(true);
    const challenge = await startChallenge(stack, user);
    expectProblem(await stack.api.verifyPasscode(challenge.id, code), "passcode_already_used");
    await stack.advance(30_000);
    expect((await stack.api.verifyPasscode(challenge.id, now(secret))).status).toBe(200);
  });

  test("attack: a thief who overheard the code gets no second factor for their session", async () => {
    const { user, token, id, code } = await setUp();
    const thief = (await logInByPassword(stack, user)).token;
    expectProblem(await verify(away(), token, id, code, false), "service_unavailable");
    expectProblem(await verify(stack.api, thief, id, code, false), "passcode_already_used");
    expect((await verify(stack.api, token, id, code, false)).status).toBe(200);
    expectProblem(await stack.api.session(thief), "session_revoked");
  });
});
