import { afterAll, beforeAll, expect, test } from "vitest";
import { phones } from "../support/phones.ts";
import { challengeSent, enrollPhone, logInBySms, startChallenge } from "../support/scenarios.ts";
import { startSmsc } from "../support/smsc/smsc.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

let smsc: Awaited<ReturnType<typeof startSmsc>>;
let stack: Stack;
/** The service, with the phones that the SMSC delivers to. */
let stage: Stack;
beforeAll(async () => {
  smsc = await startSmsc();
  stack = await startStack({
    environment: { SMS_GATEWAY: "smpp", SMPP_URL: smsc.url, SMPP_FROM: "Second Step" },
  });
  stage = { ...stack, ...phones(smsc.messagesTo) };
});
afterAll(async () => {
  await stack.stop();
  await smsc.stop();
});

test("a phone is paired and logged in with by codes that an SMSC delivered", async () => {
  const user = await stage.createUser();
  const { e164 } = await enrollPhone(stage, user);
  expect((await logInBySms(stage, user, e164)).amr).toEqual(["pwd", "sms", "mfa"]);
});

test("the SMSC's receipt is told to whoever waits for the passcode", async () => {
  const user = await stage.createUser();
  await enrollPhone(stage, user);
  const { id } = await startChallenge(stage, user);
  await challengeSent(stage, id);
  const { delivery } = await until(
    async () => (await stage.api.challenge(id)).body,
    (challenge) => challenge.delivery === "delivered",
  );
  expect(delivery).toBe("delivered");
});

test("an SMSC that is away for a moment costs a moment", async () => {
  const user = await stage.createUser();
  const { e164 } = await enrollPhone(stage, user);
  await smsc.kill();
  const { id } = await startChallenge(stage, user);
  await until(
    async () => stage.logged().map((line) => JSON.parse(line)),
    (lines) => lines.some(({ outcome, code }) => outcome === "failed" && code === "not_bound"),
  );
  await smsc.start();
  const passcode = await stage.passcodeTo(e164);
  await challengeSent(stage, id);
  expect((await stage.api.verifyPasscode(id, passcode)).status).toBe(200);
});

test("the log tells of the connection and of each message, and no secret", async () => {
  const lines = stage.logged();
  const told = lines.map((line) => JSON.parse(line));
  expect(told).toContainEqual(expect.objectContaining({ msg: "bound to the SMSC" }));
  expect(told).toContainEqual(
    expect.objectContaining({ msg: "message handed over", provider: "smpp", outcome: "sent" }),
  );
  const sent = smsc.events().filter((one) => one.event === "submit");
  expect(sent.length).toBeGreaterThan(0);
  const text = lines.filter((line) => /"provider":"smpp"/.test(line)).join("\n");
  expect(text).not.toContain(smsc.password);
  for (const { to } of sent) expect(text).not.toContain(to);
});
