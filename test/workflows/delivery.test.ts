import { expect, test } from "vitest";
import { UndeliverableError } from "../../providers/sms/sms.ts";
import { hashCode } from "../../store/codes.ts";
import { findDelivery } from "../../store/redis/messages/deliveries.ts";
import { checkPasscode } from "../../store/redis/second-step/attempts.ts";
import { MINUTE_MS } from "../../units.ts";
import { eventually } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");
type Flow = Pick<
  Awaited<ReturnType<typeof world.loginChallenge | typeof world.smsEnrollment>>,
  "view" | "update"
>;

/** A failure that quotes the message and number, as real providers do. */
const quoting = () => new Error("400: cannot send '1234567 is your passcode' to +12025550123");

/** Waits until the last retry has failed. */
const failsForGood = ({ view }: Flow) =>
  eventually(async () => {
    await world.pass(15_000);
    return (await view()).state;
  }).toBe("delivery_failed");

test("a provider that fails twice sends at the third try, and the code works", async () => {
  const before = world.phone.messages.length;
  world.phone.fail(2, quoting);
  const tries = world.phone.attempts();
  const flow = await world.loginChallenge();
  await eventually(world.phone.attempts).toBeGreaterThan(tries);
  await world.pass(10_000);
  expect(await flow.reaches("awaiting_passcode")).not.toHaveProperty("problem");
  expect(world.phone.messages.length - before).toBe(1);
  const { redis, config, clock } = world;
  const code = /^\d{7}/.exec(world.phone.messages.at(-1)?.body ?? "")?.[0] as string;
  const { challengeId } = flow;
  const passcodeHash = hashCode(config.CODE_KEY, "passcode", challengeId, code);
  const attempt = {
    challengeId,
    passcodeHashes: [passcodeHash],
    now: clock.now(),
    wrongAllowed: 6,
    requestsAllowed: 1000,
  };
  expect(await checkPasscode(redis, attempt)).toEqual({
    outcome: "accepted",
    factor: "sms",
    scope: "full",
    accountId: flow.accountId,
    epochs: { user: 0, account: 0, accountKeys: 0 },
  });
});

test.each([
  ["a passcode", (): Promise<Flow> => world.loginChallenge(), "resendPasscode"],
  ["a PIN", (): Promise<Flow> => world.smsEnrollment(), "resendPin"],
] as const)(
  "a provider that is away for long costs %s, not the flow",
  async (_code, start, resend) => {
    world.phone.fail();
    const flow = await start();
    await failsForGood(flow);
    expect(await flow.view()).toMatchObject({ problem: "dependency_unavailable" });
    world.phone.recover();
    await flow.update(resend);
    await eventually(async () => (await flow.view()).state).toMatch(/^awaiting_/);
    expect((await flow.view()).problem).toBeUndefined();
  },
);

test("a phone that cannot be reached is not tried again", async () => {
  const before = world.phone.attempts();
  world.phone.fail(undefined, () => new UndeliverableError("not_a_mobile"));
  const flow = await world.loginChallenge();
  expect(await flow.reaches("delivery_failed")).toMatchObject({
    problem: "not_a_mobile",
    next: ["resend", "method"],
  });
  await world.pass(5 * MINUTE_MS);
  expect(world.phone.attempts() - before).toBe(1);
});

test("the history quotes nothing of a provider", async () => {
  world.phone.fail(undefined, quoting);
  const flow = await world.loginChallenge();
  await failsForGood(flow);
  world.phone.recover();
  const text = await flow.historyText();
  expect(text).toContain("dependency_unavailable");
  for (const secret of ["1234567", "2025550123", "cannot send"]) expect(text).not.toContain(secret);
});

test("a running delivery is given up once the user has chosen another method", async () => {
  world.phone.fail();
  const tries = world.phone.attempts();
  const flow = await world.loginChallenge();
  await eventually(world.phone.attempts).toBeGreaterThan(tries);
  expect(await flow.update("chooseMethod", { method: "otp", maySend: false })).toMatchObject({
    state: "awaiting_passcode",
    method: "otp",
  });
  const before = world.phone.attempts();
  await world.pass(MINUTE_MS);
  expect(world.phone.attempts()).toBe(before);
});

test("after a switch back to SMS only the new passcode is sent, and its outcome is shown", async () => {
  const before = world.phone.messages.length;
  world.phone.fail();
  const tries = world.phone.attempts();
  const flow = await world.loginChallenge();
  await eventually(world.phone.attempts).toBeGreaterThan(tries);
  await flow.update("chooseMethod", { method: "otp", maySend: false });
  world.phone.recover();
  await flow.update("chooseMethod", { method: "sms", maySend: true });
  await flow.reaches("awaiting_passcode");
  await world.pass(MINUTE_MS);
  expect(world.phone.messages.length - before).toBe(1);
  expect((await flow.view()).state).toBe("awaiting_passcode");
});

const lost = (sending: number) => ({ sending, outcome: "failed", reason: "blocked_number" });
const arrived = (sending: number) => ({ sending, outcome: "delivered" });

test.each([
  ["a passcode", () => world.loginChallenge(), "awaiting_passcode", "resendPasscode"],
  ["a PIN", () => world.smsEnrollment(), "awaiting_pin", "resendPin"],
] as const)(
  "a provider's late report about %s moves the flow",
  async (_code, start, awaiting, resend) => {
    const flow = (await start()) as Awaited<ReturnType<typeof world.loginChallenge>>;
    expect(await flow.reaches(awaiting as "awaiting_passcode")).toMatchObject({ delivery: "sent" });
    await flow.handle.signal("reportDelivery", lost(1));
    const failed = await flow.reaches("delivery_failed");
    expect(failed).toMatchObject({ problem: "blocked_number" });
    expect(failed.delivery).toBeUndefined();

    await flow.update(resend);
    await flow.reaches(awaiting as "awaiting_passcode");
    await flow.handle.signal("reportDelivery", lost(1));
    await flow.handle.signal("reportDelivery", arrived(1));
    expect(await flow.view()).toMatchObject({ state: awaiting, delivery: "sent" });
    await flow.handle.signal("reportDelivery", arrived(2));
    await eventually(async () => (await flow.view()).delivery).toBe("delivered");
    await flow.handle.signal("reportDelivery", lost(2));
    expect(await flow.view()).toMatchObject({ state: awaiting, delivery: "delivered" });
  },
);

test("each message has a reference of its own, which leads to the flow and its sending", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  const first = world.phone.messages.at(-1)?.reference ?? "";
  const { workflowId } = flow.handle;
  expect(await findDelivery(world.redis, first)).toEqual({ workflowId, sending: 1 });
  await flow.update("resendPasscode");
  await flow.reaches("awaiting_passcode");
  const second = world.phone.messages.at(-1)?.reference ?? "";
  expect(second).not.toBe(first);
  expect(await findDelivery(world.redis, first)).toBeUndefined();
  expect(await findDelivery(world.redis, second)).toEqual({ workflowId, sending: 2 });
  expect(`${first}${second}`).not.toContain(flow.challengeId.slice(-24));
});
