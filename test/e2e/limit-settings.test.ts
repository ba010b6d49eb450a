import { describe, expect, test } from "vitest";
import { HOUR_MS, MINUTE_MS } from "../../units.ts";
import { logInByApp, registerApp, userWithApp } from "../support/apps.ts";
import { createClient } from "../support/client.ts";
import { startGateway } from "../support/gateway.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  startChallenge,
  unverifiedPhone,
  wrongCode,
} from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";
import { webClient } from "../support/web.ts";

const stack = useStack({
  environment: {
    PIN_DIGITS: "6",
    PIN_MINUTES: "2",
    PIN_TRIES: "2",
    PASSCODE_MINUTES: "1",
    CHALLENGE_MINUTES: "5",
    WRONG_PASSCODES: "2",
    OTP_DEVICES_PER_USER: "1",
    SESSION_HOURS: "2",
    SESSION_IDLE_MINUTES: "30",
    RECENT_LOGIN_MINUTES: "5",
    PASSWORD_MIN_LENGTH: "15",
    WEBHOOKS_PER_ACCOUNT: "1",
  },
});

const soon = () => stack.clock.now();

describe("PIN_DIGITS=6, PIN_MINUTES=2, PIN_TRIES=2", () => {
  test("the page, the message and the check have six digits and two minutes", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const web = webClient(stack, token);
    expect((await web.open("/devices/sms/new")).html).toContain("a 6-digit PIN");
    const { countryCode, phoneNumber, e164 } = newPhone();
    const page = await web.send("/devices/sms", { countryCode, phoneNumber });
    const pin = await stack.pinTo(e164);
    expect(pin).toMatch(/^\d{6}$/);
    const shown = await web.open(page.at);
    expect(shown.html).toContain("The 6 digits of the newest message.");
    const end = new Date(stack.clock.now() + 2 * MINUTE_MS).toISOString();
    expect(shown.html).toContain(`Enter it before <time datetime="${end}"`);
    const id = shown.at.split("/").at(-1) ?? "";
    expect(
      expectProblem(await stack.api.verifyDevice(token, id, pin.slice(0, 4)), "invalid_request"),
    ).toMatchObject({ detail: "The code has 6 digits." });
    expect((await stack.api.verifyDevice(token, id, pin)).body.signedOut).toBe(true);
  });

  test("a PIN is over after two minutes, and void after two wrong tries", async () => {
    const late = await unverifiedPhone(stack, await stack.createUser());
    await stack.advance(2 * MINUTE_MS);
    expectProblem(await stack.api.verifyDevice(late.token, late.id, late.pin), "pin_expired");

    const { token, id, pin } = await unverifiedPhone(stack, await stack.createUser());
    for (const left of [1, 0]) {
      const answer = await stack.api.verifyDevice(token, id, wrongCode(pin, left + 1));
      expect(expectProblem(answer, "pin_rejected").triesRemaining).toBe(left);
    }
    expectProblem(await stack.api.verifyDevice(token, id, pin), "pin_expired");
  });
});

describe("PASSCODE_MINUTES=1, CHALLENGE_MINUTES=5, WRONG_PASSCODES=2", () => {
  async function challenged() {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const challenge = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await challengeSent(stack, challenge.id);
    return { ...challenge, passcode };
  }

  test("a passcode is over after a minute, its login after five", async () => {
    const { id, passcode, expiresAt } = await challenged();
    expect(Date.parse(expiresAt)).toBe(soon() + 5 * MINUTE_MS);
    await stack.advance(MINUTE_MS);
    expectProblem(await stack.api.verifyPasscode(id, passcode), "passcode_expired");
    await stack.advance(4 * MINUTE_MS);
    expectProblem(await stack.api.verifyPasscode(id, passcode), "challenge_expired");
  });

  test("the third wrong passcode locks", async () => {
    const { id, passcode } = await challenged();
    for (const left of [2, 1]) {
      const answer = await stack.api.verifyPasscode(id, wrongCode(passcode, left));
      expect(expectProblem(answer, "passcode_rejected").attemptsRemaining).toBe(left);
    }
    expectProblem(await stack.api.verifyPasscode(id, wrongCode(passcode, 3)), "account_locked");
  });
});

test("OTP_DEVICES_PER_USER=1: a second app is refused", async () => {
  const { user, secret } = await userWithApp(stack);
  const { token } = await logInByApp(stack, user, secret);
  const body = { name: "Second" };
  const refused = await stack.api.call("POST", "/v1/me/devices/otp", { token, body });
  expectProblem(refused, "too_many_devices");
});

describe("SESSION_HOURS=2, SESSION_IDLE_MINUTES=30, RECENT_LOGIN_MINUTES=5", () => {
  test("a login is recent for five minutes", async () => {
    const { token } = await logInByPassword(stack, await stack.createUser());
    await stack.advance(5 * MINUTE_MS);
    await registerApp(stack, token);
    await stack.advance(1);
    const body = { name: "Second" };
    const refused = await stack.api.call("POST", "/v1/me/devices/otp", { token, body });
    expectProblem(refused, "reauthentication_required");
  });

  test("a session to set up a device lives as long, and its page says so", async () => {
    const operator = await stack.createUser({ role: "support" });
    const { token, expiresAt } = await logInByPassword(stack, operator);
    expect(Date.parse(expiresAt)).toBe(soon() + 5 * MINUTE_MS);
    const { html } = await webClient(stack, token).open("/set-up");
    expect(html).toContain(`Finish before <time datetime="${new Date(expiresAt).toISOString()}"`);
  });

  test("a session ends after half an hour without use, and after two hours", async () => {
    const idle = await logInByPassword(stack, await stack.createUser());
    expect(Date.parse(idle.expiresAt)).toBe(soon() + 2 * HOUR_MS);
    await stack.advance(30 * MINUTE_MS + 1);
    expectProblem(await stack.api.session(idle.token), "session_expired");
  });
});

test("PASSWORD_MIN_LENGTH=15: a shorter one is refused, and the page says so", async () => {
  const { token, password } = await newcomer();
  const page = await webClient(stack, token).open("/sessions/password");
  expect(page.html).toContain("Use at least 15 characters.");
  const put = (text: string) =>
    stack.api.call("PUT", "/v1/me/password", {
      token,
      body: { currentPassword: password, password: text },
    });
  expect(expectProblem(await put("x9!Q_b7 x9!Q_b"), "invalid_request").errors).toMatchObject([
    { path: "password", message: "A password must have at least 15 characters." },
  ]);
  expect((await put("x9!Q_b7 x9!Q_b7")).status).toBe(204);
});

async function newcomer() {
  const user = await stack.createUser();
  return { ...user, ...(await logInByPassword(stack, user)) };
}

test("WEBHOOKS_PER_ACCOUNT=1: a second webhook is refused", async () => {
  const administrator = await stack.createUser({ role: "administrator" });
  const { token } = await logInByPassword(stack, administrator);
  const add = () =>
    stack.api.call("POST", "/v1/account/webhooks", { token, body: { url: "http://127.0.0.1:1/" } });
  expect((await add()).status).toBe(201);
  expectProblem(await add(), "too_many_webhooks");
});

test("DATABASE_POOL_SIZE=4: a gateway opens no more connections", async () => {
  const url = new URL(stack.deps.config.DATABASE_URL);
  url.searchParams.set("application_name", "pool-of-four");
  const gateway = await startGateway(stack, { DATABASE_URL: url.href, DATABASE_POOL_SIZE: "4" });
  try {
    const api = createClient((path, init) => fetch(`${gateway.url}${path}`, init));
    const { token } = await logInByPassword({ api }, await stack.createUser());
    const headers = { authorization: `Bearer ${token}` };
    const reading = Array.from({ length: 40 }, () =>
      fetch(`${gateway.url}/v1/me/multi-factor`, { headers }),
    );
    // On a busy machine some wait too long for a connection, and get 503.
    expect((await Promise.all(reading)).map(({ status }) => status)).toContain(200);
    const { rows } = await stack.deps.db.execute<{ count: string }>(
      "select count(*) from pg_stat_activity where application_name = 'pool-of-four'",
    );
    expect(Number(rows[0]?.count)).toBeGreaterThan(1);
    expect(Number(rows[0]?.count)).toBeLessThanOrEqual(4);
  } finally {
    await gateway.stop();
  }
});
