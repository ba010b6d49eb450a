import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { devices as devicesTable, enrollmentStarts } from "../../../store/postgres/schema.ts";
import { impatientClient } from "../../support/flow-attacks.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../../support/used.ts";

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);

const eventsOf = async (token: string) => {
  type Page = { events: { type: string }[] };
  const { body } = await stack.api.call<Page>("GET", "/v1/me/activity", { token });
  return body.events.map(({ type }) => type);
};

test("if the gateway dies before it starts a set-up, the set-up begins all the same", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  // This gateway never gets beyond the stored device, as if it were killed there.
  const dies = () => new Promise<never>(() => {});
  const { flows } = stack.deps;
  const dying = { ...flows, startSmsEnrollment: dies, startOtpEnrollment: dies };
  const api = impatientClient(stack, { flows: dying });
  const phone = newPhone();
  void api.registerPhone(token, phone);
  void api.call("POST", "/v1/me/devices/otp", { token, body: { name: "App" } });

  // Both are stored, and their time is over.
  const { db } = stack.deps;
  await until(
    () => db.$count(enrollmentStarts),
    (count) => count === 2,
  );
  await db.update(enrollmentStarts).set({ dueAt: sql`now()` });
  const code = await stack.pinTo(phone.e164);
  const devices = () => stack.api.multiFactor(token).then(({ body }) => body.devices);
  const [sms, otp] = await until(devices, (listed) =>
    ["awaiting_pin", "awaiting_code"].every((state) => listed.some((each) => each.state === state)),
  );
  expect([sms, otp].map((device) => device?.type).sort()).toEqual(["otp", "sms"]);
  const { id } = (await devices()).find(({ type }) => type === "sms") as { id: string };
  expect((await stack.api.verifyDevice(token, id, code)).status).toBe(200);
  expect(await db.$count(enrollmentStarts)).toBe(0);
});

test("a device whose set-up cannot start is removed, and both are in the activity", async () => {
  const { token } = await logInByPassword(stack, await stack.createUser());
  await gateway.links.temporal.cut();
  expectProblem(await gateway.api.registerPhone(token, newPhone()), "service_unavailable");
  await gateway.links.temporal.mend();
  expect((await stack.api.multiFactor(token)).body.devices).toEqual([]);
  expect((await eventsOf(token)).slice(0, 2)).toEqual(["device_dropped", "sms_device_added"]);
});

test("set-ups that wait for a silent Temporal keep no login by password waiting", async () => {
  const connections = stack.deps.config.DATABASE_POOL_SIZE;
  const users = await Promise.all(
    Array.from({ length: 3 * connections }, () => stack.createUser()),
  );
  const tokens = await Promise.all(
    users.map(async (user) => (await logInByPassword(stack, user)).token),
  );
  const other = await stack.createUser();
  await gateway.links.temporal.silence();
  const { app } = gateway;
  const add = async (token: string) =>
    app.request("/v1/me/devices/otp", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "App" }),
    });
  let waiting = tokens.length;
  const added = tokens.map((token) => add(token).finally(() => (waiting -= 1)));
  // They wait for Temporal by now: each has stored its device.
  await until(
    () => stack.deps.db.$count(devicesTable),
    (count) => count >= tokens.length,
  );
  const login = await gateway.api.logIn(other);
  expect(login.status).toBe(200);
  expect(waiting).toBe(tokens.length);
  for (const { status } of await Promise.all(added)) expect(status).toBe(503);
  await gateway.links.temporal.mend();
});
