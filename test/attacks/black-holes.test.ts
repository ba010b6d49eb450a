// My account has ten webhooks that take every connection and never answer, and a thousand events.
// Each call keeps its place for 15 seconds. Who else waits?
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { enrollPhone, logInByPassword, logInBySms } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";
import { newWebhook } from "../support/webhooks.ts";

const WEBHOOKS = 10;
const EVENTS = 20;

const stack = useStack();
let hole: Receiver;
beforeAll(async () => {
  hole = await startReceiver();
  hole.answers(0);
});
afterAll(() => hole.stop());

test("ten black holes of one account keep no login by SMS and no other account's webhook waiting", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, admin);
  for (let n = 0; n < WEBHOOKS; n++)
    await stack.api.call("POST", "/v1/account/webhooks", { token, body: { url: hole.url } });
  for (let n = 0; n < EVENTS; n++)
    await recordEvent(stack.deps.db, {
      ...{ key: newId(), at: new Date(stack.clock.now()), type: "login_failed" },
      ...{ accountId: admin.accountId, userId: admin.id },
    });
  const atOnce = stack.deps.config.limits.webhooks.atOnce;
  await until(
    async () => hole.waiting(),
    (waiting) => waiting === atOnce,
  );

  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  expect((await logInBySms(stack, user, e164)).scope).toBe("full");

  const receiver = await startReceiver();
  const { user: other } = await newWebhook(stack.deps, receiver);
  await until(
    async () => receiver.received,
    (received) => received.some(({ body }) => body.includes(other.id)),
  );
  await receiver.stop();
  expect(hole.mostWaiting()).toBe(atOnce);
});
