import { availableParallelism } from "node:os";
import { hash } from "@node-rs/argon2";
import { expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../api/app.ts";
import { createClient } from "../support/client.ts";
import { challengeSent, enrollPhone, startChallenge } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();
const PATIENCE_MS = 25;

/** A gateway with enough running second steps to make a password wait, and a login after them. */
async function loginAfterSecondSteps() {
  const [one, other] = [await stack.createUser(), await stack.createUser()];
  const { e164 } = await enrollPhone(stack, one);
  const { id } = await startChallenge(stack, one);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);

  const { flows } = stack.deps;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let underWay = 0;
  const moveChallenge: typeof flows.moveChallenge = async (...move) => {
    underWay++;
    await released;
    return flows.moveChallenge(...move);
  };
  const app = createApp({ ...stack.deps, flows: { ...flows, moveChallenge } });
  const api = createClient(async (path, init) => app.request(path, init));
  const enough = 4 * availableParallelism();
  const verified = Promise.all(
    Array.from({ length: enough }, () => api.verifyPasscode(id, passcode)),
  );
  await until(
    async () => underWay,
    (count) => count === enough,
  );

  // From here on the test decides when a password stops waiting.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const timers = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => {
    timers.mockRestore();
    vi.useRealTimers();
  });
  let answered = false;
  const loggedIn = api.logIn(other).finally(() => {
    answered = true;
  });
  await until(async () => timers.mock.calls.some(([, ms]) => ms === PATIENCE_MS), Boolean);
  // These hashes take longer than the rest of the login would.
  for (let n = 0; n < 20; n++) await hash("password");
  expect(answered).toBe(false);
  return { loggedIn, verified, release };
}

test("a password is checked once the running second steps are answered", async () => {
  const { loggedIn, verified, release } = await loginAfterSecondSteps();
  release();
  expect((await loggedIn).status).toBe(200);
  const statuses = (await verified).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
});

test("a password waits for second steps, but not for ever", async () => {
  const { loggedIn, verified, release } = await loginAfterSecondSteps();
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect((await loggedIn).status).toBe(200);
  release();
  await verified;
});
