// Forms of people on a slow day: what a page asks of a worker takes longer than a program would wait.
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { getAccount } from "../../store/postgres/accounts.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { codeAt, logInByApp, registerApp, supportOperator, userWithApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useGatewayBehindLinks, useStack } from "../support/used.ts";

const SITE = "https://mfa.example";
/** Longer than a program's call waits for a worker. */
const SLOW_MS = 2_500;

/** Shorter than a page waits. */
const SOON_MS = 8_000;

const stack = useStack();
const gateway = useGatewayBehindLinks(stack);

/** Sends a page's form, and answers the page that it leads to. */
async function send(
  token: string,
  path: string,
  fields: Record<string, string> = {},
  { app }: Pick<typeof stack, "app"> = stack,
) {
  const headers = { cookie: `__Host-session=${token}`, origin: SITE };
  const body = new URLSearchParams(fields);
  const answer = await app.request(`${SITE}${path}`, { method: "POST", headers, body });
  return { status: answer.status, to: answer.headers.get("location"), text: await answer.text() };
}

/** Nothing that a worker has to write down gets on while the forms are being sent. */
async function slowly<Sent>(sendAll: () => Promise<Sent>): Promise<Sent> {
  const client = new pg.Client({ connectionString: stack.deps.config.DATABASE_URL });
  await client.connect();
  await client.query("begin; lock table events in access exclusive mode");
  try {
    const sent = sendAll();
    await Promise.race([sent, sleep(SLOW_MS)]);
    await client.query("rollback");
    return await sent;
  } finally {
    await client.end();
  }
}

async function loggedInByApp() {
  const { user, id, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  return { user, id, token };
}

const tokenOf = async (user: Person) => (await logInByPassword(stack, user)).token;

test("a form whose work takes longer than a program waits is answered when the work is done", async () => {
  const [all, one, reset] = [await loggedInByApp(), await loggedInByApp(), await loggedInByApp()];
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { device, secret } = await registerApp(stack, token);
  const administrator = await stack.createUser({ role: "administrator" });
  const support = await supportOperator(stack);

  const tokens = { administrator: await tokenOf(administrator), support: support.token };
  const answers = await slowly(() =>
    Promise.all([
      send(all.token, "/devices/remove-all"),
      send(one.token, `/devices/manage/${one.id}/remove`),
      send(tokens.support, `/support/users/${reset.user.id}/reset`, {
        "reset-reason": "The phone is lost",
      }),
      send(tokens.administrator, "/account", { requirement: "required", enforceAfter: "14" }),
      send(token, `/devices/otp/${device.id}/verify`, { code: codeAt(secret, stack.clock.now()) }),
    ]),
  );
  for (const answer of answers) expect(answer, answer.text).toMatchObject({ status: 303 });
  const { db } = stack.deps;
  for (const { user } of [all, one, reset]) expect(await listDevices(db, user.id)).toEqual([]);
  expect((await listDevices(db, user.id))[0]?.verifiedAt).not.toBeNull();
  expect((await getAccount(db, administrator.accountId))?.requirement).toBe("required");
});

test("a removal that nobody gets done is said to go on, and does", async () => {
  const { token } = await loggedInByApp();
  await stack.stopWorker();
  const answer = await send(token, "/devices/remove-all");
  expect(answer.status).toBe(503);
  expect(answer.text).toContain("The devices are being removed. That goes on by itself");
  await stack.restartWorker();
  await until(
    async () => (await stack.api.multiFactor(token)).body.devices,
    (devices) => devices.length === 0,
  );
});

test("a new device, whose row is held until its flow has begun, is not waited for as long", async () => {
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const { countryCode, phoneNumber } = newPhone();
  await gateway.links.temporal.silence();
  for (const [path, fields] of [
    ["/devices/otp", { name: "work phone" }],
    ["/devices/sms", { countryCode, phoneNumber }],
  ] as const) {
    const begun = performance.now();
    const answer = await send(token, path, fields, gateway);
    const waited = performance.now() - begun;
    expect(answer.status, answer.text).toBe(503);
    expect(waited).toBeGreaterThan(1_000);
    expect(waited).toBeLessThan(SOON_MS);
  }
  await gateway.links.temporal.mend();
  expect(await listDevices(stack.deps.db, user.id)).toEqual([]);
});
