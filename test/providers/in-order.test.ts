import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { configuredSms } from "../../providers/sms/configured.ts";
import { inOrder } from "../../providers/sms/in-order.ts";
import { ProviderError, type SmsGateway, UndeliverableError } from "../../providers/sms/sms.ts";
import { newId } from "../../store/ids.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { startSmsc, treat } from "../support/smsc/smsc.ts";
import { environmentOf } from "../support/stack.ts";
import { startTwilioApi } from "../support/twilio-api.ts";
import { until } from "../support/until.ts";

let smsc: Awaited<ReturnType<typeof startSmsc>>;
let twilio: Awaited<ReturnType<typeof startTwilioApi>>;
beforeAll(async () => {
  [smsc, twilio] = await Promise.all([startSmsc(), startTwilioApi()]);
});
afterAll(() => Promise.all([smsc.stop(), twilio.stop()]));

const message = (treatment = "01") => ({
  to: `+120255501${treatment}`,
  body: "4711 is your code",
  reference: newId(),
});

function memoryLog() {
  const lines: object[] = [];
  const keep = (fields: object) => void lines.push(fields);
  return { lines, log: { info: keep, warn: keep } };
}

/** SMPP first, then Twilio, from the settings. */
async function configured() {
  const nowhere = { address: "127.0.0.1:1", namespace: "none" };
  const config = loadConfig({
    ...environmentOf("postgres://x", "redis://x", nowhere),
    SMS_GATEWAY: "smpp, twilio",
    SMPP_URL: smsc.url,
    SMPP_FROM: "+12025550100",
    TWILIO_ACCOUNT_SID: `AC${"1".repeat(32)}`,
    TWILIO_AUTH_TOKEN: "token",
    TWILIO_FROM: "+12025550101",
    TWILIO_BASE_URL: twilio.url,
  });
  const { lines, log } = memoryLog();
  const redis = await connectRedis(inject("redisUrl"), () => {});
  const clock = { now: () => 0 };
  const sms = configuredSms({ config, redis, clock, log, onReport: async () => {} });
  await until(
    async () => lines.length,
    (count) => count > 0,
  );
  lines.length = 0;
  return {
    sms,
    lines,
    async stop() {
      await sms.close();
      await redis.close();
    },
  };
}

test("the first provider that accepts a message sends it", async () => {
  const { sms, lines, stop } = await configured();
  expect(await sms.send(message())).toEqual({ provider: "smpp" });
  expect(lines).toEqual([{ provider: "smpp", outcome: "sent" }]);
  expect(twilio.requests).toEqual([]);
  await stop();
});

test("if one is busy or away, the next one sends it, with the same reference", async () => {
  const { sms, lines, stop } = await configured();
  expect(await sms.send(message(treat.throttled))).toEqual({ provider: "twilio" });
  await smsc.kill();
  await until(
    async () => lines.length,
    (count) => count > 2,
  );
  expect(await sms.send(message())).toEqual({ provider: "twilio" });
  expect(lines).toMatchObject([
    { provider: "smpp", outcome: "failed", code: "ESME_RTHROTTLED" },
    { provider: "twilio", outcome: "sent" },
    { provider: "smpp", code: expect.any(String) },
    { provider: "smpp", outcome: "failed", code: "not_bound" },
    { provider: "twilio", outcome: "sent" },
  ]);
  await stop();
  await smsc.start();
});

test("a number that one provider cannot reach is not tried with the next", async () => {
  const { sms, lines, stop } = await configured();
  const before = twilio.requests.length;
  await expect(sms.send(message(treat.refused))).rejects.toMatchObject({
    reason: "unreachable_number",
  });
  expect(twilio.requests).toHaveLength(before);
  expect(lines).toEqual([
    { provider: "smpp", outcome: "undeliverable", reason: "unreachable_number" },
  ]);
  await stop();
});

const failing = (name: string, error: Error) => ({
  name,
  gateway: { send: () => Promise.reject(error) } satisfies SmsGateway,
});
const rejected = (name: string) => failing(name, new UndeliverableError("rejected_by_carrier"));
const busy = (name: string) => failing(name, new ProviderError(name, "busy"));

test.each([
  ["all rejected it", [rejected("a"), rejected("b")], { reason: "rejected_by_carrier" }],
  ["one may take it later", [busy("a"), rejected("b")], { code: "busy" }],
  ["one may take it later, the other order", [rejected("a"), busy("b")], { code: "busy" }],
])("the error when %s", async (_what, providers, error) => {
  const { log } = memoryLog();
  await expect(inOrder(providers, log).send(message())).rejects.toMatchObject(error);
});

test("an error that is not the provider's is logged without its message", async () => {
  const { log, lines } = memoryLog();
  const quoting = failing("a", new Error("cannot send '4711' to +12025550101"));
  await expect(inOrder([quoting], log).send(message())).rejects.toThrow();
  expect(lines).toEqual([{ provider: "a", outcome: "failed", code: "internal" }]);
});
