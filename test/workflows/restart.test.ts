import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { getDevice } from "../../store/postgres/devices.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { ORIGIN } from "./flows.ts";
import { useWorld } from "./world.ts";

// On the dev server: the time-skipping server keeps waiting for a worker that is gone.
const world = useWorld("real");

test("a challenge continues under another worker, with all that it knew", async () => {
  const flow = await world.loginChallenge();
  await flow.reaches("awaiting_passcode");
  await flow.update("rejectPasscode", { failures: 4 });
  await world.withoutWorker(async () => {});
  expect(await flow.view()).toMatchObject({ state: "awaiting_passcode", failures: 4 });
  await flow.update("resendPasscode");
  await flow.reaches("awaiting_passcode");
  const view = await flow.update("acceptPasscode", { factor: "sms", origin: ORIGIN });
  expect(view).toMatchObject({ state: "authenticated", failures: 4 });
  expect(await flow.handle.result()).toEqual(view);
});

test("a deadline that passes while no worker runs is handled by the next one", async () => {
  const lifetimeMs = 1_000;
  const flow = await world.loginChallenge({ lifetimeMs, method: "otp" });
  await world.withoutWorker(() => sleep(2 * lifetimeMs));
  expect(await flow.handle.result()).toMatchObject({ state: "expired" });
  const { events } = await listEvents(world.db, { userId: flow.userId, limit: 1 });
  expect(events).toMatchObject([{ type: "login_challenge_expired" }]);
});

test("a request made while no worker runs is answered by the next worker", async () => {
  const flow = await world.smsEnrollment();
  await flow.reaches("awaiting_pin");
  let answer: Promise<unknown> | undefined;
  await world.withoutWorker(async () => {
    answer = flow.update("acceptPin", { makeDefault: true, origin: ORIGIN });
  });
  expect(await answer).toEqual({ state: "verified", next: [], delivery: "sent" });
  expect((await getDevice(world.db, flow.userId, flow.deviceId))?.verifiedAt).not.toBeNull();
});
