// I type my phone's PIN and press the button twice, or my client retries. Every request has the
// right PIN, so none may use up a try or a refund for outages.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { countRefunds } from "../../store/redis/second-step/refunds.ts";
import type { EnrollmentView } from "../../workflows/view-types.ts";
import { impatientClient } from "../support/flow-attacks.ts";
import { expectProblem } from "../support/problems.ts";
import { isDone, unverifiedPhone } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

async function registered() {
  const user = await stack.createUser();
  const drawn = () => countRefunds(stack.deps.redis, user.id, stack.clock.now());
  return { user, ...(await unverifiedPhone(stack, user)), drawn };
}

test.each([
  { requests: 2, apartMs: 0 },
  { requests: 25, apartMs: 0 },
  { requests: 10, apartMs: 10 },
])("$requests right PINs, $apartMs ms apart, use no refund", async ({ requests, apartMs }) => {
  const api = impatientClient(stack);
  for (let round = 0; round < 4; round++) {
    const { user, token, id, pin, drawn } = await registered();
    const answers = await Promise.all(
      Array.from({ length: requests }, async (_, n) => {
        await sleep(n * apartMs);
        return api.verifyDevice(token, id, pin);
      }),
    );
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(await drawn(), answers.map(({ status }) => status).join()).toBe(0);
    expect((await stack.api.logIn(user)).body.status).toBe("challenge");
  }
});

test("a right PIN while its verification is being written uses no refund, and costs no try", async () => {
  const { token, id, pin, drawn } = await registered();
  const { flows } = stack.deps;
  const view: EnrollmentView = { state: "verifying", next: [] };
  const moveEnrollment = async () => ({ moved: false, view });
  const api = impatientClient(stack, { flows: { ...flows, moveEnrollment } as typeof flows });
  for (let n = 0; n < 6; n++)
    expectProblem(await api.verifyDevice(token, id, pin), "service_unavailable");
  expect(await drawn()).toBe(0);
  // Its five tries are all there.
  expect(isDone(await stack.api.verifyDevice(token, id, pin))).toBe(true);
});
