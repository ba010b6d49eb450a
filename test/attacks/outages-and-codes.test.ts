// Temporal is slow for one of my requests, which is answered by 503 and gives the app's code back. Does the
// code then open two doors: by a request that was quicker, or by another login? And the owner, whose request
// it was: do they lose anything by it?
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

/** A client that takes a 503 for an answer, of a gateway whose flows do this first. */
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

/** A gateway from which Temporal is away. */
const away = () =>
  impatient(async () => {
    throw new TemporalAway();
  });

/** A gateway that waits for its flow until it is told how that answered. */
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

describe("a login by an app whose flow did not answer in time", () => {
  async function challenged() {
    const { user, secret } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    const other = await startChallenge(stack, user);
    return { user, code: now(secret), id, other: other.id };
  }

  test("is done by the same code, at the same challenge or in a new login", async () => {
    const [one, two] = [await challenged(), await challenged()];
    for (const { id, code } of [one, two])
      expectProblem(await away().verifyPasscode(id, code), "service_unavailable");
    expect((await stack.api.verifyPasscode(one.id, one.code)).status).toBe(200);
    expect((await stack.api.verifyPasscode(two.other, two.code)).status).toBe(200);
    // Each opened one door alone.
    expectProblem(await stack.api.verifyPasscode(one.other, one.code), "passcode_already_used");
    expectProblem(await stack.api.verifyPasscode(two.id, two.code), "passcode_already_used");
  });

  test("attack: gives no code back by which another request has opened a session meanwhile", async () => {
    const { id, other, code } = await challenged();
    const slow = waiting();
    const late = slow.api.verifyPasscode(id, code);
    await slow.reached;
    expect((await stack.api.verifyPasscode(id, code)).status).toBe(200);
    slow.timeOut();
    expectProblem(await late, "service_unavailable");
    expectProblem(await stack.api.verifyPasscode(other, code), "passcode_already_used");
  });

  test("attack: opens no session by a code that was given back and has opened another one since", async () => {
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

  test("is done by the same code, which then opens no login; the next one does", async () => {
    const { user, token, id, code, secret } = await setUp();
    expectProblem(await verify(away(), token, id, code, true), "service_unavailable");
    expect(isDone(await verify(stack.api, token, id, code, true))).toBe(true);
    const challenge = await startChallenge(stack, user);
    expectProblem(await stack.api.verifyPasscode(challenge.id, code), "passcode_already_used");
    await stack.advance(30_000);
    expect((await stack.api.verifyPasscode(challenge.id, now(secret))).status).toBe(200);
  });

  test("attack: a session of somebody who overheard the code gains no factor by it", async () => {
    const { user, token, id, code } = await setUp();
    const thief = (await logInByPassword(stack, user)).token;
    expectProblem(await verify(away(), token, id, code, false), "service_unavailable");
    expectProblem(await verify(stack.api, thief, id, code, false), "passcode_already_used");
    expect((await verify(stack.api, token, id, code, false)).status).toBe(200);
    expectProblem(await stack.api.session(thief), "session_revoked");
  });
});
