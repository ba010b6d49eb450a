import { afterEach, expect, test } from "vitest";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { newPhone } from "../support/phones.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  pinSent,
  startChallenge,
} from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const stack = useStack({ time: "skipping" });
afterEach(() => stack.failSms());

test("a challenge ends ten minutes after it began, also if a passcode was sent again at minute nine", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  await stack.advance(9 * MINUTE_MS);
  expect((await api.resendPasscode(id)).status).toBe(202);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  await stack.advance(MINUTE_MS);
  expect((await api.challenge(id)).body).toMatchObject({ state: "expired", next: [] });
  expect((await api.verifyPasscode(id, passcode)).problem.code).toBe("challenge_expired");
  expect((await api.resendPasscode(id)).problem.code).toBe("challenge_expired");
});

test("a PIN ends after ten minutes, its device after seven days", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const phone = newPhone();
  const early = await logInByPassword(stack, user);
  const { id } = (await api.registerPhone(early.token, phone)).body;
  const pin = await stack.pinTo(phone.e164);
  await pinSent(stack, early.token, id);
  await stack.advance(10 * MINUTE_MS);
  expect((await api.verifyDevice(early.token, id, pin)).problem.code).toBe("pin_expired");
  expect((await api.multiFactor(early.token)).body.devices).toMatchObject([
    { state: "pin_expired", verified: false, next: ["pin", "remove"] },
  ]);
  await stack.advance(7 * DAY_MS);
  const late = await logInByPassword(stack, user);
  expect((await api.multiFactor(late.token)).body.devices).toEqual([]);
});

test("a session ends after an idle hour, and after a day at the latest", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const idle = await logInByPassword(stack, user);
  const busy = await logInByPassword(stack, user);
  for (let hours = 0; hours < 24; hours++) {
    await stack.advance(59 * MINUTE_MS);
    expect((await api.session(busy.token)).status).toBe(200);
    if (hours === 1)
      expect((await api.session(idle.token)).problem).toMatchObject({
        code: "session_expired",
        reason: "idle",
      });
  }
  await stack.advance(30 * MINUTE_MS);
  expect((await api.session(busy.token)).problem).toMatchObject({
    code: "session_expired",
    reason: "lifetime",
  });
});

test("a provider that is away is tried again; then the user is told, and a resend works once it is back", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  stack.failSms("refuse");
  const { id } = await startChallenge(stack, user);
  const waiting = async () => {
    await stack.advance(SECOND_MS);
    return (await api.challenge(id)).body;
  };
  const failed = await until(waiting, ({ state }) => state !== "sending_passcode");
  expect(failed).toMatchObject({ state: "delivery_failed", next: ["resend", "method"] });
  expect(failed.problem).toMatch(/^[a-z_]+$/);
  const { events } = await stack.temporal.client.workflow
    .getHandle(workflowIds.loginChallenge(id))
    .fetchHistory();
  const tries = events?.map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0);
  expect(Math.max(...(tries ?? []))).toBe(5);
  stack.failSms();
  await stack.advance(MINUTE_MS);
  expect((await api.resendPasscode(id)).status).toBe(202);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  const { body } = await api.verifyPasscode(id, passcode);
  expect(body.session.amr).toEqual(["pwd", "sms", "mfa"]);
});

test("a passcode that no provider accepts is reported, and a resend works once one does", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  stack.failSms("undeliverable");
  const { id } = await startChallenge(stack, user);
  const failed = await challengeSent(stack, id);
  expect(failed).toMatchObject({ state: "delivery_failed", next: ["resend", "method"] });
  stack.failSms();
  await stack.advance(MINUTE_MS);
  expect((await api.resendPasscode(id)).status).toBe(202);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  const { body } = await api.verifyPasscode(id, passcode);
  expect(body.session.amr).toEqual(["pwd", "sms", "mfa"]);
});
