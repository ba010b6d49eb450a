import { WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { expect, test } from "vitest";
import { getUser } from "../../store/postgres/users.ts";
import { MINUTE_MS } from "../../units.ts";
import { ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

const world = useWorld("skipping");
const ACCEPTED = { factor: "sms", origin: ORIGIN };

test("expires after ten minutes, and accepts no passcode then", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  await world.pass(9 * MINUTE_MS);
  expect((await flow.view()).state).toBe("awaiting_passcode");
  await world.pass(MINUTE_MS + 1000);
  expect(await flow.handle.result()).toMatchObject({ state: "expired", next: [] });
  await expect(flow.update("acceptPasscode", ACCEPTED)).rejects.toThrow(WorkflowNotFoundError);
  expect(await world.eventsOf(flow)).toEqual(["login_challenge_expired"]);
});

test("a resend, a wrong passcode and another method at minute nine gain no time", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  await world.pass(9 * MINUTE_MS);
  await flow.update("rejectPasscode", { failures: 1 });
  await flow.update("resendPasscode");
  await flow.reaches("awaiting_passcode");
  await flow.update("chooseMethod", { method: "otp", maySend: false });
  await world.pass(MINUTE_MS + 1000);
  expect(await flow.handle.result()).toMatchObject({ state: "expired", failures: 1 });
});

test("the right passcode authenticates, and the ended flow can still be read", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  const view = await flow.update("acceptPasscode", ACCEPTED);
  expect(view).toMatchObject({ state: "authenticated", next: [] });
  expect(await flow.handle.result()).toEqual(view);
  expect(await flow.view()).toEqual(view);
});

test("a passcode that comes before its sending is confirmed is accepted", async () => {
  world.phone.fail();
  const flow = await world.loginChallenge();
  expect(await flow.view()).toMatchObject({
    state: "sending_passcode",
    next: ["verify", "method"],
  });
  expect(await flow.update("acceptPasscode", ACCEPTED)).toMatchObject({ state: "authenticated" });
  expect(await flow.handle.result()).toMatchObject({ state: "authenticated" });
});

test("a wrong passcode is a result, not an error, and a resend keeps the count", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  expect(await flow.update("rejectPasscode", { failures: 3 })).toMatchObject({
    state: "awaiting_passcode",
    failures: 3,
  });
  await flow.update("resendPasscode");
  expect(await flow.reaches("awaiting_passcode")).toMatchObject({ failures: 3 });
});

test("a lock ends it, and locks the user in the system of record", async () => {
  const flow = await world.loginChallenge();
  // Waits, because the Update cancels an activity. If that activity has just ended, the workflow
  // task fails; the time-skipping server then loses the Update, while the real one delivers it
  // again.
  await flow.reaches("awaiting_passcode");
  await flow.reaches("awaiting_passcode");
  expect(await flow.update("lockAccount", { origin: ORIGIN })).toMatchObject({
    state: "locked",
    next: [],
  });
  expect(await flow.handle.result()).toMatchObject({ state: "locked" });
  expect((await getUser(world.db, flow.userId))?.lockedAt).not.toBeNull();
  expect(await world.eventsOf(flow)).toEqual(["account_locked"]);
  await expect(flow.update("acceptPasscode", ACCEPTED)).rejects.toThrow(WorkflowNotFoundError);
});

test("by OTP nothing is sent, and a resend is refused", async () => {
  const before = world.phone.attempts();
  const flow = await world.loginChallenge({ method: "otp" });
  const view = await flow.reaches("awaiting_passcode");
  expect(view).toMatchObject({ next: ["verify", "method"] });
  expect(view.deliveredTo).toBeUndefined();
  await expect(flow.update("resendPasscode")).rejects.toMatchObject({
    cause: {
      type: "IllegalTransition",
      message: "resendPasscode is not legal in awaiting_passcode",
    },
  });
  expect(await flow.activities()).toEqual([]);
  expect(world.phone.attempts()).toBe(before);
});

test("the other configured method works for this one login; one that is not configured does not", async () => {
  const flow = await world.loginChallenge({ method: "otp" });
  expect(await flow.update("chooseMethod", { method: "sms", maySend: true })).toMatchObject({
    method: "sms",
    deliveredTo: "+1 ••• 0123",
  });
  await flow.reaches("awaiting_passcode");
  expect(await flow.activities()).toEqual(["sendPasscode"]);
  const only = await world.loginChallenge({ methods: ["sms"] });
  await expect(only.update("chooseMethod", { method: "otp", maySend: false })).rejects.toThrow(
    WorkflowUpdateFailedError,
  );
});

test("without a budget nothing is sent until a resend", async () => {
  const flow = await world.loginChallenge({ maySend: false });
  expect(await flow.reaches("delivery_failed")).toMatchObject({
    problem: "send_limit",
    next: ["resend", "method"],
  });
  expect(await flow.activities()).toEqual([]);
  await flow.update("resendPasscode");
  await flow.reaches("awaiting_passcode");
});

test("withdrawn by another workflow, it authenticates nobody", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  await flow.handle.signal("withdraw", { reason: "all_devices_removed" });
  expect(await flow.handle.result()).toMatchObject({ state: "withdrawn", next: [] });
  await expect(flow.update("acceptPasscode", ACCEPTED)).rejects.toThrow(WorkflowNotFoundError);
  expect(await world.eventsOf(flow)).toEqual([]);
});

test("of several accepted passcodes at once, one counts", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  const answers = await Promise.allSettled(
    Array.from({ length: 5 }, () => flow.update("acceptPasscode", ACCEPTED)),
  );
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("a client cannot forge the type of an event", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  const forged = { type: "PASSCODE_ACCEPTED", factor: "sms", failures: 1, origin: ORIGIN };
  expect(await flow.update("rejectPasscode", forged)).toMatchObject({
    state: "awaiting_passcode",
    failures: 1,
  });
});
