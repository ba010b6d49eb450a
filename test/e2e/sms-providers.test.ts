import { afterAll, beforeAll, expect, test } from "vitest";
import { limit } from "../support/limits.ts";
import { phones } from "../support/phones.ts";
import { challengeSent, enrollPhone, logInBySms, startChallenge } from "../support/scenarios.ts";
import { type Service, startService } from "../support/service.ts";
import { startSmsc } from "../support/smsc/smsc.ts";
import { startTlsFront } from "../support/tls-front.ts";
import { until } from "../support/until.ts";

let smsc: Awaited<ReturnType<typeof startSmsc>>;
let front: Awaited<ReturnType<typeof startTlsFront>>;
let service: Service;
/** The service, with the phones to which the SMSC delivers. */
let stage: Service;
beforeAll(async () => {
  smsc = await startSmsc();
  front = await startTlsFront(smsc.port);
  const url = new URL(smsc.url.replace("smpp:", "smpps:"));
  url.host = `localhost:${front.port}`;
  const settings = {
    SMS_GATEWAY: "smpp",
    SMPP_URL: url.href,
    SMPP_FROM: "Second Step",
    NODE_EXTRA_CA_CERTS: front.certificate,
  };
  // One worker, so that its connections to the SMSC can be counted.
  service = await startService("postgres", settings, 1);
  stage = { ...service, ...phones(smsc.messagesTo) };
}, limit(120_000));
afterAll(async () => {
  expect(new Set(await service.stop())).toEqual(new Set(["exit code 0"]));
  await front.stop();
  expect(await smsc.seen("ended", 1)).toEqual([{ event: "ended", state: "UNBOUND" }]);
  await smsc.stop();
});

const logged = () =>
  stage
    .logs()
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

test("a phone is verified and logs in with codes that an SMSC delivered over TLS", async () => {
  const user = await stage.createUser();
  const { e164 } = await enrollPhone(stage, user);
  expect((await logInBySms(stage, user, e164)).amr).toEqual(["pwd", "sms", "mfa"]);
});

test("the SMSC's receipt reaches the user who waits for the passcode", async () => {
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

test("an SMSC that is away for a moment only delays the message", async () => {
  const user = await stage.createUser();
  const { e164 } = await enrollPhone(stage, user);
  await smsc.kill();
  await until(
    async () => logged(),
    (lines) => lines.some(({ msg }) => msg?.startsWith("no connection to the SMSC")),
  );
  const { id } = await startChallenge(stage, user);
  await until(
    async () => logged(),
    (lines) => lines.some(({ outcome, code }) => outcome === "failed" && code === "not_bound"),
  );
  await smsc.start();
  const passcode = await stage.passcodeTo(e164);
  await challengeSent(stage, id);
  expect((await stage.api.verifyPasscode(id, passcode)).status).toBe(200);
});

test("the log reports the connection and each message, without secrets", async () => {
  const lines = logged();
  expect(lines).toContainEqual(expect.objectContaining({ msg: "bound to the SMSC" }));
  const handedOver = { msg: "message handed over", provider: "smpp", outcome: "sent" };
  expect(lines).toContainEqual(expect.objectContaining(handedOver));
  const sent = smsc.events().filter((one) => one.event === "submit");
  expect(sent.length).toBeGreaterThan(0);
  const text = stage.logs().join("\n");
  for (const password of [smsc.password, encodeURIComponent(smsc.password)])
    expect(text).not.toContain(password);
  for (const { to } of sent) expect(text).not.toContain(to);
});
