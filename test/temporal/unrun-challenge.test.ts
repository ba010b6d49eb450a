import { expect, test } from "vitest";
import { createFlows } from "../../temporal/flows.ts";
import { eventually, ORIGIN } from "../workflows/flows.ts";
import { useWorld } from "../workflows/world.ts";

// On the dev server, because the real server decides what is in the first workflow task.
const world = useWorld("real");
const lifetimeMs = 2_000;
const unrun = (lifetime?: number) =>
  world.loginChallenge({ method: "otp", unrun: true, ...(lifetime && { lifetimeMs: lifetime }) });

type History = Awaited<ReturnType<Awaited<ReturnType<typeof unrun>>["history"]>>;
const tasks = (history: History) =>
  history.filter((event) => event.workflowTaskScheduledEventAttributes).length;
const timers = (history: History) =>
  history.flatMap(({ timerStartedEventAttributes: timer }) =>
    timer ? [Number(timer.startToFireTimeout?.seconds)] : [],
  );

test("a right answer is the challenge's first task and its last", async () => {
  const flow = await unrun();
  expect(await flow.history()).toHaveLength(1);
  const view = await flow.update("acceptPasscode", { factor: "otp", origin: ORIGIN });
  expect(view).toMatchObject({ state: "authenticated" });
  expect(await flow.handle.result()).toEqual(view);
  expect(tasks(await flow.history())).toBe(1);
  expect(timers(await flow.history())).toEqual([]);
});

test("a wrong passcode gains no time: the deadline counts from the start", async () => {
  const flow = await unrun(lifetimeMs);
  // No worker has run it yet, so only the age of the workflow shows that time has passed.
  await eventually(
    async () => Date.now() - (await flow.handle.describe()).startTime.getTime(),
  ).toBeGreaterThan(1_000);
  await flow.update("rejectPasscode", { failures: 1 });
  expect(timers(await flow.history())).toEqual([0]);
  expect(await flow.handle.result()).toMatchObject({ state: "expired", failures: 1 });
});

test("without an answer it expires in its first task, and that is recorded", async () => {
  const flow = await unrun(lifetimeMs);
  expect(await flow.handle.result()).toMatchObject({ state: "expired", next: [] });
  expect(timers(await flow.history())).toEqual([]);
  expect(await world.eventsOf(flow)).toEqual(["login_challenge_expired"]);
});

test("withdrawn before it ran, it ends as withdrawn when it is due", async () => {
  const flow = await unrun(lifetimeMs);
  await flow.handle.signal("withdraw", { reason: "all_devices_removed" });
  expect(await flow.handle.result()).toMatchObject({ state: "withdrawn", next: [] });
  expect(await world.eventsOf(flow)).toEqual([]);
});

test("its state can be read without a worker, also shortly before it is due", async () => {
  const flow = await unrun(10_000);
  await world.withoutWorker(async () => {
    const view = await createFlows(world.temporal.client).challenge(flow.challengeId);
    expect(view).toMatchObject({ state: "awaiting_passcode", method: "otp", failures: 0 });
  });
});

test("a refused move leaves it open, and the next one is accepted", async () => {
  const flow = await unrun();
  await expect(flow.update("resendPasscode")).rejects.toMatchObject({
    cause: { type: "IllegalTransition" },
  });
  expect(await flow.view()).toMatchObject({ state: "awaiting_passcode" });
  expect(await flow.update("chooseMethod", { method: "sms", maySend: true })).toMatchObject({
    method: "sms",
  });
});
