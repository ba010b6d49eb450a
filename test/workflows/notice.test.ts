import { afterAll, beforeAll, expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "../../units.ts";
import { workflowIds } from "../../workflows/ids.ts";
import { startMailServer } from "../support/mail-server.ts";
import type { Person } from "../support/people.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { refOf } from "../support/webhooks.ts";

const UNKNOWN = "nobody@example.com";

type MailServer = Awaited<ReturnType<typeof startMailServer>>;
type Activity = { events: { id: number; type: string }[] };

let server: MailServer;
let stack: Stack;
const refuses = (to: string) => (to === UNKNOWN ? 550 : undefined);
beforeAll(async () => {
  server = await startMailServer({ refuses });
  stack = await startStack({
    time: "skipping",
    environment: {
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: "notices@second-step.example",
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  await server?.stop();
});

/** Changes the user's address. Returns the event and its notices. */
async function changeAddress(user: Person, email: string) {
  const { token } = await logInByPassword(stack, user);
  const changed = await stack.api.call("PUT", "/v1/me/email", { token, body: { email } });
  expect(changed.body).toEqual({ email });
  return noticesOf(token, "email_changed");
}

async function noticesOf(token: string, type: string) {
  const { events } = (await stack.api.call<Activity>("GET", "/v1/me/activity", { token })).body;
  const event = events.find((one) => one.type === type);
  if (!event) throw new Error(`There is no ${type}`);
  const ref = await refOf(stack.deps.db, event.id);
  const handle = (to: "current" | "former") =>
    stack.temporal.client.workflow.getHandle(workflowIds.notice(ref, to));
  return { current: handle("current"), former: handle("former") };
}

type Handle = Awaited<ReturnType<typeof noticesOf>>["current"];

/** Waits until the number of tries to send the mail is as wanted. Returns it. */
const tries = (handle: Handle, wanted: (attempt: number) => boolean) =>
  until(async () => {
    const described = await handle.describe().catch(() => undefined);
    return described?.raw.pendingActivities?.[0]?.attempt ?? 0;
  }, wanted);

/** Waits until the relay has started the notice. Returns how it ended. */
async function outcome(handle: Handle): Promise<unknown> {
  await until(
    () => handle.describe().catch(() => undefined),
    (described) => described !== undefined,
  );
  return handle.result();
}

const to = (address: string) => server.mails.filter((mail) => mail.to === address);

test("if the mail server is away, nothing waits for it, and the mail comes once, two days later", async () => {
  const user = await stack.createUser();
  await server.stop();
  const { current } = await changeAddress(user, "away@example.com");
  await tries(current, (attempt) => attempt > 1);
  await stack.advance(2 * DAY_MS);
  await tries(current, (attempt) => attempt > 20);
  server = await startMailServer({ port: server.port, refuses });
  await stack.advance(HOUR_MS);
  expect(await outcome(current)).toBe("sent");
  await stack.advance(DAY_MS);
  expect(to("away@example.com")).toMatchObject([
    { headers: { subject: "Second Step: Your address for notifications was changed" } },
  ]);
  const { searchAttributes } = await current.describe();
  expect(searchAttributes).toMatchObject({ MfaUserId: [user.id], MfaState: ["sent"] });
});

test("after three days without the mail server the notice is given up", async () => {
  const user = await stack.createUser();
  await server.stop();
  const { current } = await changeAddress(user, "late@example.com");
  await tries(current, (attempt) => attempt > 1);
  await stack.advance(3 * DAY_MS + HOUR_MS);
  expect(await outcome(current)).toBe("given_up");
  server = await startMailServer({ port: server.port, refuses });
  await stack.advance(DAY_MS);
  expect(to("late@example.com")).toEqual([]);
  expect((await current.describe()).searchAttributes).toMatchObject({ MfaState: ["given_up"] });
});

test("a refused recipient is tried once; the other recipient still gets the mail", async () => {
  const user = await stack.createUser();
  const first = await changeAddress(user, "first@example.com");
  expect(await outcome(first.current)).toBe("sent");
  const { current, former } = await changeAddress(user, UNKNOWN);
  expect(await outcome(current)).toBe("refused");
  expect(await outcome(former)).toBe("sent");
  await stack.advance(DAY_MS);
  expect(server.asked.filter((address) => address === UNKNOWN)).toHaveLength(1);
  expect(to("first@example.com")).toHaveLength(2);
});

test("a user without an address gets no mail, and the notice ends as no_address", async () => {
  const admin = await stack.createUser({ role: "administrator" });
  const user = await stack.createUser({ accountId: admin.accountId });
  const { token } = await logInByPassword(stack, admin);
  const body = { role: "administrator" };
  await stack.api.call("PUT", `/v1/account/users/${user.id}/role`, { token, body });
  const own = await logInByPassword(stack, user);
  const { current } = await noticesOf(own.token, "role_changed");
  expect(await outcome(current)).toBe("no_address");
});
