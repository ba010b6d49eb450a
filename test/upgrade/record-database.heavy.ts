// Records the database of a release, for the test that upgrades from it: npm run record-database.
// Run it on the release's own code, before the first migration after it.
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ensurePostgres } from "../../scripts/postgres.ts";
import { runProgram } from "../../scripts/programs.ts";
import { logInByApp, userWithApp } from "../support/apps.ts";
import { enrollPhone, unverifiedPhone } from "../support/scenarios.ts";
import { startStack } from "../support/stack.ts";
import { newWebhook } from "../support/webhooks.ts";
import { keepRecord, RECORDED_KEYS } from "./recorded.ts";

const stack = await startStack({ environment: RECORDED_KEYS });
afterAll(() => stack.stop());

test("users, devices, recovery codes, a webhook, and events that wait in the queue", async () => {
  const phoneUser = await stack.createUser();
  const { e164 } = await enrollPhone(stack, phoneUser);
  const app = await userWithApp(stack);
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  const made = await stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", {
    token,
    body: { quantity: 2 },
  });
  const halfWayUser = await stack.createUser();
  const halfWay = await unverifiedPhone(stack, halfWayUser);
  await stack.stopWorker();
  // Nobody takes these events out of the queue.
  await newWebhook(stack.deps, { url: "http://127.0.0.1:9/" });

  const dump = await runProgram(join(await ensurePostgres(() => {}), "pg_dump"), [
    ...["--inserts", "--no-owner", "--no-privileges"],
    stack.deps.config.DATABASE_URL,
  ]);
  expect(dump).toMatch(/^INSERT INTO public\.event_queue/m);
  keepRecord(dump, {
    phone: { ...phoneUser, e164 },
    app: { ...app.user, secret: app.secret },
    codes: { ...user, codes: made.body.codes },
    halfWay: { ...halfWayUser, e164: halfWay.e164 },
  });
  await stack.restartWorker();
});
