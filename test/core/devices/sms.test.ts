import { describe, expect, test } from "vitest";
import { DAY_MS } from "../../../units.ts";
import { newPhone } from "../../support/phones.ts";
import { expectProblem } from "../../support/problems.ts";
import {
  enrollPhone,
  isDone,
  logInByPassword,
  logInBySms,
  pinSent,
  unverifiedPhone,
  wrongCode,
} from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";
import { webClient } from "../../support/web.ts";

const stack = useStack();

const INTERVAL_MS = 30_000;

/** A user with a phone that is not verified yet. */
async function registered() {
  const user = await stack.createUser();
  return { user, ...(await unverifiedPhone(stack, user)) };
}

describe("attack: guessing the PIN", () => {
  test("a burst of fifty gets five tries; after them even the right PIN is void", async () => {
    const { token, id, pin } = await registered();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        stack.api.verifyDevice(token, id, wrongCode(pin, n + 1)),
      ),
    );
    const tries = answers.filter(({ status }) => status === 422);
    // A try whose answer comes after the last try's answer says that the PIN is void.
    const left = tries.map(({ problem }) => problem.triesRemaining);
    expect([0, 1, 2, 3, 4]).toEqual(expect.arrayContaining(left));
    expect(new Set(left).size).toBe(left.length);
    for (const answer of tries) expectProblem(answer, "pin_rejected");
    for (const answer of answers.filter(({ status }) => status !== 422))
      expectProblem(answer, "pin_expired");
    expectProblem(await stack.api.verifyDevice(token, id, pin), "pin_expired");
    expect(await pinSent(stack, token, id)).toMatchObject({ state: "pin_void", verified: false });
  });

  test("each wrong PIN says how many tries are left, and a new PIN starts again", async () => {
    const { token, id, pin, e164 } = await registered();
    for (const left of [4, 3, 2, 1, 0]) {
      const answer = await stack.api.verifyDevice(token, id, wrongCode(pin, left + 1));
      expect(expectProblem(answer, "pin_rejected").triesRemaining).toBe(left);
    }
    await stack.advance(INTERVAL_MS);
    expect((await stack.api.resendPin(token, id)).status).toBe(202);
    const next = await stack.pinTo(e164);
    const answer = await stack.api.verifyDevice(token, id, wrongCode(next));
    expect(expectProblem(answer, "pin_rejected").triesRemaining).toBe(4);
    expect((await stack.api.verifyDevice(token, id, next)).body.device.verified).toBe(true);
  });

  test("the PIN of the previous message is not called wrong, and costs no try", async () => {
    const { token, id, pin, e164 } = await registered();
    await stack.advance(INTERVAL_MS);
    await stack.api.resendPin(token, id);
    const next = await stack.pinTo(e164);
    if (next === pin) return;
    // More tries than a PIN allows.
    for (let again = 0; again < 6; again++)
      expect(
        expectProblem(await stack.api.verifyDevice(token, id, pin), "pin_replaced").detail,
      ).toBe("A newer PIN was sent. Enter the newest one.");
    const page = await webClient(stack, token).send(`/devices/sms/${id}/verify`, { code: pin });
    expect(page.html).toContain("A newer PIN was sent. Enter the newest one.");
    const { user } = (await stack.api.session(token)).body;
    const face = await stack.app.request(
      `/v2.0/users/${user.id}/RAX-AUTH/multi-factor/mobile-phones/${id}/verify`,
      {
        method: "POST",
        headers: { "x-auth-token": token, "content-type": "application/json" },
        body: JSON.stringify({ "RAX-AUTH:verificationCode": { code: pin } }),
      },
    );
    expect(face.status).toBe(400);
    expect(await face.text()).toContain("A newer PIN was sent. Enter the newest one.");
    const wrong = await stack.api.verifyDevice(
      token,
      id,
      wrongCode(next, wrongCode(next) === pin ? 2 : 1),
    );
    expect(expectProblem(wrong, "pin_rejected").triesRemaining).toBe(4);
    expect(isDone(await stack.api.verifyDevice(token, id, next))).toBe(true);
  });
});

describe("attack: using another user's device", () => {
  test("it is not found by any request, and keeps its tries", async () => {
    const theirs = await registered();
    const eve = await logInByPassword(stack, await stack.createUser());
    const missing = await stack.api.verifyDevice(eve.token, "0".repeat(32), "1234");
    const foreign = await stack.api.verifyDevice(eve.token, theirs.id, "1234");
    expectProblem(foreign, "device_not_found");
    expect(foreign.text).toBe(missing.text);
    expectProblem(
      await stack.api.verifyDevice(eve.token, theirs.id, theirs.pin),
      "device_not_found",
    );
    expectProblem(await stack.api.resendPin(eve.token, theirs.id), "device_not_found");
    expect((await stack.api.multiFactor(eve.token)).body.devices).toEqual([]);
    const own = await stack.api.verifyDevice(theirs.token, theirs.id, wrongCode(theirs.pin));
    expect(own.problem.triesRemaining).toBe(4);
  });
});

describe("attack: making the service send messages", () => {
  test("one PIN in thirty seconds; the answer says how long to wait", async () => {
    const { token, id } = await registered();
    const refused = await stack.api.resendPin(token, id);
    expectProblem(refused, "send_limit");
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeLessThanOrEqual(30);
    await stack.advance(seconds * 1000);
    expect((await stack.api.resendPin(token, id)).status).toBe(202);
  });

  test("ten PINs a day", async () => {
    const { token, id, e164 } = await registered();
    const send = async () => {
      await stack.advance(INTERVAL_MS);
      return stack.api.resendPin(token, id);
    };
    for (let pins = 2; pins <= 10; pins++) {
      expect((await send()).status).toBe(202);
      await stack.pinTo(e164);
      await pinSent(stack, token, id);
    }
    const refused = await send();
    expectProblem(refused, "send_limit");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(DAY_MS / 1000 - 600);
  });

  test("of a burst of registrations one succeeds, and one message is sent", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const phones = Array.from({ length: 10 }, newPhone);
    const answers = await Promise.all(phones.map((phone) => stack.api.registerPhone(token, phone)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      expectProblem(answer, "sms_device_exists");
    const { devices } = (await stack.api.multiFactor(token)).body;
    expect(devices.map(({ id }) => id)).toEqual([made[0]?.body.id]);
    await pinSent(stack, token, devices[0]?.id ?? "");
    const outbox = await stack.app.request("/dev/outbox");
    const sent = (await outbox.json()) as { to: string }[];
    const numbers = new Set(phones.map(({ e164 }) => e164));
    expect(sent.filter(({ to }) => numbers.has(to))).toHaveLength(1);
  });

  test("a second phone is refused before anything is sent to it", async () => {
    const { token, e164 } = await registered();
    const second = newPhone();
    expectProblem(await stack.api.registerPhone(token, second), "sms_device_exists");
    const read = (to: string) => stack.app.request(`/dev/outbox?to=${encodeURIComponent(to)}`);
    expect(await (await read(second.e164)).json()).toEqual([]);
    expect(await (await read(e164)).json()).toHaveLength(1);
  });
});

describe("a phone", () => {
  test("is listed as unverified, with what can be done, until its PIN is entered", async () => {
    const { token, id, pin } = await registered();
    const before = (await stack.api.multiFactor(token)).body;
    expect(before).toMatchObject({ enabled: false, defaultMethod: null });
    expect(before.devices).toEqual([
      expect.objectContaining({
        id,
        type: "sms",
        verified: false,
        state: "awaiting_pin",
        next: ["verify", "pin", "remove"],
      }),
    ]);
    const { body } = await stack.api.verifyDevice(token, id, ` ${pin} `);
    expect(body).toMatchObject({
      signedOut: true,
      device: { id, verified: true, state: "verified" },
    });
  });

  test("stays verified once it is verified", async () => {
    const user = await stack.createUser();
    const { id, e164 } = await enrollPhone(stack, user);
    const { token } = await logInBySms(stack, user, e164);
    expectProblem(await stack.api.verifyDevice(token, id, "1234"), "device_verified_already");
    expectProblem(await stack.api.resendPin(token, id), "device_verified_already");
    expectProblem(await stack.api.registerPhone(token, newPhone()), "sms_device_exists");
    expect((await stack.api.multiFactor(token)).body).toMatchObject({
      enabled: true,
      defaultMethod: "sms",
      devices: [{ id, verified: true }],
    });
  });

  test("is verified once by twenty right answers at once", async () => {
    const { user, token, id, pin, e164 } = await registered();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stack.api.verifyDevice(token, id, pin)),
    );
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expectProblem(answer, "device_verified_already", "session_revoked", "pin_expired");
    expect((await logInBySms(stack, user, e164)).amr).toContain("sms");
  });

  test("can be verified later, from another session, with a new PIN", async () => {
    const { user, token, id, e164, pin } = await registered();
    await stack.api.logOut(token);
    await stack.advance(10 * 60_000);
    const later = await logInByPassword(stack, user);
    expectProblem(await stack.api.verifyDevice(later.token, id, pin), "pin_expired");
    expect((await stack.api.resendPin(later.token, id)).status).toBe(202);
    const next = await stack.pinTo(e164);
    expect(isDone(await stack.api.verifyDevice(later.token, id, next))).toBe(true);
  });
});
