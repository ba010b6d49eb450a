import { expect, test } from "vitest";
import { MINUTE_MS } from "../../../units.ts";
import { codeAt, logInByApp, registerApp, userWithApp } from "../../support/apps.ts";
import { isDone, logInByPassword, startChallenge } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const offBy = (minutes: number, secret: string) =>
  codeAt(secret, stack.clock.now() + minutes * MINUTE_MS);

test("a set-up with a phone whose clock is wrong says by how much, and costs a try", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  const { device, secret } = await registerApp(stack, token);
  for (const [minutes, message] of [
    [-3, "about 3 minutes"],
    [9, "about 9 minutes"],
  ] as const) {
    const answer = await stack.api.verifyDevice(token, device.id, offBy(minutes, secret));
    expect(answer.problem).toMatchObject({
      code: "pin_rejected",
      clockOffMinutes: Math.abs(minutes),
    });
    expect(answer.problem.detail).toContain(message);
    expect(answer.problem.detail).toContain("automatic time");
  }
  const far = await stack.api.verifyDevice(token, device.id, offBy(20, secret));
  expect(far.problem.code).toBe("pin_rejected");
  expect(far.problem.detail).not.toContain("clock");
  const right = codeAt(secret, stack.clock.now());
  expect(isDone(await stack.api.verifyDevice(token, device.id, right))).toBe(true);
});

test("attack: a login does not tell that a code belongs to another time", async () => {
  const { user, secret } = await userWithApp(stack);
  await logInByApp(stack, user, secret);
  const { id } = await startChallenge(stack, user);
  const { problem } = await stack.api.verifyPasscode(id, offBy(5, secret));
  expect(problem.code).toBe("passcode_rejected");
  expect(JSON.stringify(problem)).not.toMatch(/clock|automatic/);
});
