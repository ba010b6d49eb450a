// I have a session and a device set-up that stays open for a week. I send codes for all that time.
import { expect, test } from "vitest";
import { codeAt, registerApp } from "../support/apps.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, wrongCode } from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const REQUESTS = 100;

const stack = useStack();

test("an app's set-up ends after a hundred requests, also refused and malformed ones", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  const { device, secret } = await registerApp(stack, token);
  const code = codeAt(secret, stack.clock.now());
  for (let n = 0; n < REQUESTS; n += 4) {
    expectProblem(await stack.api.verifyDevice(token, device.id, "12"), "invalid_request");
    const wrong = await stack.api.verifyDevice(token, device.id, wrongCode(code, n + 5));
    expectProblem(wrong, "pin_rejected");
    for (let again = 0; again < 2; again++)
      expectProblem(await stack.api.verifyDevice(token, device.id, "abc"), "invalid_request");
  }
  const late = await stack.api.verifyDevice(token, device.id, code);
  expect(expectProblem(late, "enrollment_ended").detail).toBe(
    "Too many tries. This set-up has ended. Add the device again.",
  );
  const browser = webClient(stack, token);
  const page = await browser.send(`/devices/otp/${device.id}/verify`, { code });
  // If the device is gone by then, its page redirects.
  expect(page.first.status).toBe(303);
  if (page.status === 200) {
    expect(page.at).toBe("/devices");
    expect(page.notices.join()).toContain("Too many tries. This set-up has ended.");
  } else expect(page.heading).toBe("Device not found");
  await until(
    () => stack.api.multiFactor(token),
    ({ body }) => body.devices.length === 0,
  );
  expectProblem(await stack.api.verifyDevice(token, device.id, code), "device_not_found");
  // The user can register another app.
  await registerApp(stack, token);
});

test("so does a phone's; then its PIN is not checked any more", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  const phone = newPhone();
  const { id } = (await stack.api.registerPhone(token, phone)).body;
  const pin = await stack.pinTo(phone.e164);
  for (let n = 0; n < REQUESTS; n++)
    expectProblem(await stack.api.verifyDevice(token, id, "1"), "invalid_request");
  expectProblem(await stack.api.verifyDevice(token, id, pin), "enrollment_ended");
  await until(
    () => stack.api.multiFactor(token),
    ({ body }) => body.devices.length === 0,
  );
});

test("an administrator can change a policy sixty times a day", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  const change = (days: number) =>
    stack.api.call("PUT", "/v1/account/multi-factor-policy", {
      token,
      body: { requirement: "required", enforceAfter: { days } },
    });
  for (let n = 1; n <= 60; n++) expect((await change(n)).status).toBe(202);
  expectProblem(await change(61), "policy_change_limit");
});

test("a flow is told once that it has ended, however many requests come after", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  const { device } = await registerApp(stack, token);
  const signaled: string[] = [];
  const signal = async (workflowId: string) => void signaled.push(workflowId);
  const api = gatewayOver(stack, { flows: { ...stack.deps.flows, signal } });
  const request = () => api.verifyDevice(token, device.id, "12");
  for (let n = 0; n < REQUESTS; n++) expectProblem(await request(), "invalid_request");
  for (let n = 0; n < 5; n++) expectProblem(await request(), "enrollment_ended");
  expect(signaled).toHaveLength(1);
});
