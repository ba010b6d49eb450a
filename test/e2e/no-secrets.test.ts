import { generateSync } from "otplib";
import { expect, test } from "vitest";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { everythingReadable, secretsIn } from "../support/histories.ts";
import { newPhone } from "../support/phones.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { BEGINNING } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

/** The code that the app shows `ms` after the start of the test. */
const appCode = (secret: string, ms = 0) =>
  generateSync({ secret, epoch: Math.floor((BEGINNING + ms) / 1000) });

test("attack: an operator reads every history and every log line, and learns no secret", async () => {
  const { api } = stack;
  const user = await stack.createUser();
  const secrets: string[] = [user.password];

  // A phone: its PIN, a resent passcode, a wrong one, a session.
  const { e164 } = await enrollPhone(stack, user);
  secrets.push(e164, e164.slice(1), e164.slice(2));
  const first = await logInBySms(stack, user, e164);
  const challenge = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  await api.verifyPasscode(challenge.id, wrongCode(passcode));
  const { session } = (await api.verifyPasscode(challenge.id, passcode)).body;
  secrets.push(passcode, wrongCode(passcode));

  // An app, recovery codes, a login by each, and the end of it all.
  const { token } = session;
  const call = { token, body: { name: "App" } };
  const app = (await api.call<OtpSetup>("POST", "/v1/me/devices/otp", call)).body;
  const code = appCode(app.secret);
  const proof = { token, body: { code, makeDefault: false } };
  await api.call("POST", `/v1/me/devices/${app.device.id}/verify`, proof);
  const made = { token, body: { quantity: 2 } };
  const { codes } = (await api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", made))
    .body;
  const byCode = await startChallenge(stack, user);
  const recovered = (await api.verifyPasscode(byCode.id, codes[0] as string)).body.session;
  await api.call("DELETE", "/v1/me/devices", { token: recovered.token });
  const tokens = [first.token, token, recovered.token].map((text) => text.split(".")[1] as string);
  secrets.push(app.secret, code, ...codes, ...tokens);

  // A provider that quotes message and number in its refusal, which the worker logs.
  stack.failSms("refuse");
  const unlucky = await stack.createUser();
  const begun = await logInByPassword(stack, unlucky);
  const phone = newPhone();
  const { id } = (await api.registerPhone(begun.token, phone)).body;
  const failed = () => stack.logged().filter((line) => line.includes(`sms-enrollment/${id}`));
  await until(
    async () => failed().some((line) => line.includes("sendPin")),
    (some) => some,
  );
  stack.failSms();
  secrets.push(unlucky.password, phone.e164.slice(1), await stack.pinTo(phone.e164));

  const { types, texts } = await everythingReadable(stack.temporal.client);
  expect(types).toEqual(
    expect.arrayContaining(["smsEnrollment", "otpEnrollment", "loginChallenge", "deviceRemoval"]),
  );
  // Proves that the texts really hold the decoded inputs of the workflows.
  expect(texts.join("\n")).toContain(`"challengeId":"${challenge.id}"`);
  expect(secretsIn(texts, secrets)).toEqual([]);
  expect(secretsIn(stack.logged(), secrets)).toEqual([]);
});
