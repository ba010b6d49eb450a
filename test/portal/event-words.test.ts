import { expect, onTestFinished, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { getWebhook, setWebhookDisabled } from "../../store/postgres/webhooks/webhooks.ts";
import { MINUTE_MS } from "../../units.ts";
import { loggedIn } from "../support/apps.ts";
import { startReceiver } from "../support/receiver.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack();

test('attack: a reason like "constructor", a name that every object has, is shown as it was typed', async () => {
  const support = webClient(stack, (await loggedIn(stack, "support")).token);
  for (const reason of ["constructor", "__proto__", "hasOwnProperty"]) {
    const user = await stack.createUser();
    const path = `/support/users/${user.id}`;
    await support.send(`${path}/reset`, { once: newId(), "reset-reason": reason });
    const own = webClient(stack, (await logInByPassword(stack, user)).token);
    for (const html of [(await support.open(path)).html, (await own.open("/activity")).html]) {
      expect(html).toContain("Multi-factor authentication reset");
      expect(html).toContain(reason);
      expect(html).not.toMatch(/native code|\[object/);
    }
  }
});

test("enabling a webhook asks first; an old session must log in before that; activity names the webhook", async () => {
  const { db, clock } = stack.deps;
  const { user, token } = await loggedIn(stack, "administrator");
  const { accountId } = user;
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const body = { url: `${receiver.url}/S3CRET`, types: ["policy_enforced"] };
  const made = await stack.api.call<{ id: string }>("POST", "/v1/account/webhooks", {
    token,
    body,
  });
  const webhookId = made.body.id;
  const at = new Date(clock.now());
  const type = "webhook_disabled" as const;
  const event = { key: newId(), at, accountId, type, detail: { webhookId, reason: "failing" } };
  await setWebhookDisabled(db, { accountId, webhookId, reason: "failing" }, event);
  await stack.advance(16 * MINUTE_MS);

  const web = webClient(stack, token);
  const path = `/account/webhooks/${webhookId}`;
  const page = await web.open(path);
  expect(page.html).toContain(`href="${path}/enable"`);
  expect(page.forms.map(({ action }) => action)).not.toContain(`${path}/enable`);
  const asked = await web.open(`${path}/enable`);
  expect(asked.heading).toBe("Log in");
  const form = asked.forms.find(({ action }) => action === "/login");
  const { username, password } = user;
  const question = await web.send("/login", { ...form?.fields, username, password });
  expect(question.heading).toBe("Enable this webhook?");
  const answer = question.forms.find(({ action }) => action === `${path}/enable`);
  expect((await getWebhook(db, accountId, webhookId))?.disabledFor).toBe("failing");
  const enabled = await web.send(`${path}/enable`, answer?.fields ?? {});
  expect(enabled.notices.join()).toContain("Webhook enabled.");
  expect((await getWebhook(db, accountId, webhookId))?.disabledFor).toBeNull();

  const remove = await web.open(`${path}/remove`);
  await web.send(`${path}/remove`, remove.forms.at(-1)?.fields ?? {});
  const { html } = await web.open("/account/activity");
  for (const what of ["added", "disabled", "enabled", "removed"])
    expect(html).toContain(`Webhook ${what}: ${new URL(body.url).host}`);
  expect(html).not.toContain("S3CRET");
});
