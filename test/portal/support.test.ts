import { expect, test } from "vitest";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { loggedIn, logInByApp, registerApp, userWithApp } from "../support/apps.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack();

async function looksAt(userId: string): Promise<number> {
  const { events } = await listEvents(stack.deps.db, { userId, limit: 50 });
  return events.filter(({ type }) => type === "user_looked_up").length;
}

test("a look by Support at a user is recorded; the question before a reset shows only the name", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  await registerApp(stack, token, "Second app");
  const web = webClient(stack, (await loggedIn(stack, "support")).token);

  const question = await web.open(`/support/users/${user.id}/reset`);
  expect(question.heading).toBe(`Reset ${user.username}?`);
  // The question shows neither the devices nor their number.
  expect(question.html).not.toMatch(/Second app|\d devices?/);
  const search = await web.open(`/support?query=${user.username}`);
  expect(search.html).toContain(`/support/users/${user.id}`);
  expect(await looksAt(user.id)).toBe(0);

  const page = await web.open(`/support/users/${user.id}`);
  expect(page.html).toContain("Second app");
  expect(await looksAt(user.id)).toBe(1);
});
