import { generateSync } from "otplib";
import { describe, expect, test } from "vitest";
import type { OtpSetup } from "../../core/devices/otp.ts";
import type { KeptMessage } from "../../store/redis/messages/outbox.ts";
import { supportOperator } from "../support/apps.ts";
import { everythingReadable, secretsIn } from "../support/histories.ts";
import type { Person } from "../support/people.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { BEGINNING, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const stack = useStack({
  environment: {
    PUBLIC_URL: "https://panel.example",
    TRUSTED_PROXIES: "1",
    SERVICE_NAME: "The Panel",
    SUPPORT_CONTACT: "mailto:help@panel.example",
  },
});
let elapsed = 0;

async function advance(ms: number) {
  elapsed += ms;
  await stack.advance(ms);
}

async function outbox(to: string): Promise<Required<KeptMessage>[]> {
  const answer = await stack.app.request(`/dev/outbox?to=${encodeURIComponent(to)}`);
  return (await answer.json()) as Required<KeptMessage>[];
}

/** Waits for `count` mails to the address. Returns them, newest first. */
const mails = (to: string, count: number) =>
  until(
    () => outbox(to),
    ({ length }) => length >= count,
  );

const subjects = (found: { subject: string }[]) =>
  found.map(({ subject }) => subject.replace("The Panel: ", ""));

let addresses = 0;

/** A user with an address who got the notice about adding it. */
async function userWithAddress(options: Parameters<Stack["createUser"]>[0] = {}) {
  const user = await stack.createUser(options);
  const email = `user-${addresses++}@example.com`;
  await setEmail(user, email);
  await mails(email, 1);
  return { user, email };
}

async function setEmail(user: Person, email: string | null) {
  const { token } = await logInByPassword(stack, user);
  return stack.api.call("PUT", "/v1/me/email", { token, body: { email } });
}

const appCode = (secret: string) =>
  generateSync({ secret, epoch: Math.floor((BEGINNING + elapsed) / 1000) });

test("every change to a login is told by mail, and no mail or history holds a secret", async () => {
  const { api } = stack;
  const { user, email } = await userWithAddress();
  const { e164 } = await enrollPhone(stack, user);
  await mails(email, 2);
  const { token } = await logInBySms(stack, user, e164);

  const adding = { token, body: { name: "Call +1 900 555 0100 now" } };
  const app = (await api.call<OtpSetup>("POST", "/v1/me/devices/otp", adding)).body;
  const proof = { token, body: { code: appCode(app.secret), makeDefault: false } };
  await api.call("POST", `/v1/me/devices/${app.device.id}/verify`, proof);
  await mails(email, 3);
  const method = { token, body: { method: "otp" } };
  await api.call("PUT", "/v1/me/multi-factor/default-method", method);
  await mails(email, 4);
  const made = { token, body: { quantity: 2 } };
  const { codes } = (await api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", made))
    .body;
  await mails(email, 5);
  const challenge = await startChallenge(stack, user);
  const { session } = (await api.verifyPasscode(challenge.id, codes[0] as string)).body;
  await mails(email, 6);
  await api.call("DELETE", `/v1/me/devices/${app.device.id}`, { token: session.token });
  await mails(email, 7);
  await api.call("DELETE", "/v1/me/devices", { token: session.token });
  const all = await mails(email, 8);

  expect(subjects(all)).toEqual([
    "Multi-factor authentication is off",
    "A device was removed",
    "A recovery code was used",
    "New recovery codes were made",
    "Your default method was changed",
    "A device was added",
    "A device was added",
    "Your address for notifications was changed",
  ]);
  expect(all[1]?.body).toContain("an authenticator app");
  expect(all[6]?.body).toContain("An SMS device was added to your login");
  const bodies = all.map(({ body }) => body);
  for (const body of bodies) {
    expect(body).toContain(`User:  ${user.username.slice(0, 3)}•••\n`);
    expect(body).toContain("When:  2026-01-01 00:00 UTC\n");
    expect(body).toContain("\nhttps://panel.example/activity\n");
  }
  const tokens = [token, session.token].map((text) => text.split(".")[1] as string);
  const secrets = [user.password, e164, e164.slice(2), app.secret, ...codes, ...tokens];
  expect(secretsIn(bodies, [...secrets, "900 555"])).toEqual([]);

  const { types, texts } = await everythingReadable(stack.temporal.client);
  expect(types).toContain("notice");
  expect(secretsIn([...texts, ...stack.logged()], [...secrets, email])).toEqual([]);
});

describe("lock and reset", () => {
  test("a lock, its end and a reset by Support are told, without Support's address", async () => {
    const { api } = stack;
    const { user, email } = await userWithAddress();
    const { e164 } = await enrollPhone(stack, user);
    await mails(email, 2);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await challengeSent(stack, id);
    const headers = { "x-forwarded-for": "203.0.113.9", "user-agent": FIREFOX };
    for (let n = 1; n <= 7; n++) await api.verifyPasscode(id, wrongCode(passcode, n), { headers });
    const [locked] = await mails(email, 3);
    expect(locked?.subject).toBe("The Panel: Your account is locked");
    expect(locked?.body).toContain("From:  203.0.113.9, Firefox 140 on Linux\n");
    expect(locked?.body).toContain(
      "\nTo unlock your account, contact Support: help@panel.example\n",
    );

    const { token } = await supportOperator(stack);
    const path = `/v1/support/users/${user.id}`;
    const call = { token, body: { reason: "Seen in person" }, headers };
    await api.call("POST", `${path}/unlock`, call);
    await mails(email, 4);
    await api.call("POST", `${path}/reset-multi-factor`, call);
    const [reset, unlocked] = await mails(email, 5);
    expect(subjects([reset, unlocked] as Required<KeptMessage>[])).toEqual([
      "Multi-factor authentication was reset",
      "Your account is unlocked",
    ]);
    for (const mail of [reset, unlocked]) {
      expect(mail?.body).toContain("By:    Support\n");
      expect(mail?.body).not.toMatch(/203\.0\.113\.9|Firefox|Seen in person/);
    }
  });

  test("attack: the person who causes a notice cannot write text into it", async () => {
    const { user, email } = await userWithAddress();
    const { e164 } = await enrollPhone(stack, user);
    await mails(email, 2);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await challengeSent(stack, id);
    const headers = {
      "x-forwarded-for": "Call 555-0100",
      "user-agent": "Secure your login at https://evil.example Firefox/",
    };
    for (let n = 1; n <= 7; n++)
      await stack.api.verifyPasscode(id, wrongCode(passcode, n), { headers });
    const [locked] = await mails(email, 3);
    expect(locked?.body).toContain("From:  an unknown place\n");
    // The random user name may contain these digits.
    expect(locked?.body?.replace(user.username, "")).not.toMatch(/evil|555/);
  });
});

describe("a change of the address", () => {
  test("both addresses are told, and the audit names neither", async () => {
    const { user, email } = await userWithAddress();
    const next = `next-${email}`;
    const { token } = await logInByPassword(stack, user);
    const answer = await stack.api.call("PUT", "/v1/me/email", {
      token,
      body: { email: next.replace("example.com", "EXAMPLE.com") },
    });
    expect(answer.body).toEqual({ email: next });
    const [toNext] = await mails(next, 1);
    const [toFormer] = await mails(email, 2);
    expect(toNext?.body).toContain("send notifications about your login to this address");
    expect(toFormer?.body).toContain("now send notifications about your login to another address");
    expect(toFormer?.body).not.toContain(next);
    expect((await stack.api.multiFactor(token)).body).toMatchObject({ email: next });

    const activity = await stack.api.call("GET", "/v1/me/activity", { token });
    expect(activity.text).toContain("u•••@example.com");
    expect(activity.text).toContain("n•••@example.com");
    expect(secretsIn([activity.text], [email, next])).toEqual([]);
  });

  test("attack: after two changes in a row each former address is told", async () => {
    const { user, email } = await userWithAddress();
    const [second, third] = [`second-${email}`, `third-${email}`];
    await setEmail(user, second);
    await setEmail(user, third);
    for (const address of [email, second])
      await until(
        () => outbox(address),
        (found) => found.some(({ body }) => body.includes("to another address")),
      );
    const [toThird] = await mails(third, 1);
    expect(toThird?.body).toContain("to this address");
  });

  test("when it is removed, the former address is told, and nothing is sent afterwards", async () => {
    const { user, email } = await userWithAddress();
    expect((await setEmail(user, null)).body).toEqual({ email: null });
    const [last] = await mails(email, 2);
    expect(last?.body).toContain("no longer send notifications");
    await enrollPhone(stack, user);
    await advance(60_000);
    expect(await outbox(email)).toHaveLength(2);
  });
});

test("the development phone shows mails beside messages", async () => {
  const { email } = await userWithAddress();
  const page = await (await stack.app.request("/dev/phone")).text();
  expect(page).toContain(`<h2>${email}</h2>`);
  expect(page).toContain("The Panel: Your address for notifications was changed");
});
