import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { inOrder } from "../../providers/sms/in-order.ts";
import { ProviderError, UndeliverableError } from "../../providers/sms/sms.ts";
import { twilioGateway } from "../../providers/sms/twilio.ts";
import { newId } from "../../store/ids.ts";
import { limit } from "../support/limits.ts";
import { environmentOf } from "../support/stack.ts";
import { startTwilioApi } from "../support/twilio-api.ts";

const ACCOUNT = `AC${"1".repeat(32)}`;
const TOKEN = "the-auth-token";
const TO = "+12025550142";

let api: Awaited<ReturnType<typeof startTwilioApi>>;
beforeAll(async () => {
  api = await startTwilioApi();
});
afterEach(() => api.answer("taken"));
afterAll(() => api.stop());

function gateway(settings: Record<string, string> = {}) {
  const nowhere = { address: "127.0.0.1:1", namespace: "none" };
  const config = loadConfig({
    ...environmentOf("postgres://x", "redis://x", nowhere),
    SMS_GATEWAY: "twilio",
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_AUTH_TOKEN: TOKEN,
    TWILIO_FROM: "+12025550100",
    TWILIO_BASE_URL: api.url,
    ...settings,
  });
  return twilioGateway(config);
}

const message = () => ({ to: TO, body: "4711523 is your code", reference: newId() });
const refusal = (send: Promise<unknown>) =>
  send.then(
    () => {
      throw new Error("It was taken");
    },
    (error: unknown) => error,
  );

test("a message goes to the account's messages, from the configured number", async () => {
  expect(await gateway().send(message())).toEqual({ provider: "twilio" });
  expect(api.requests.at(-1)).toEqual({
    path: `POST /2010-04-01/Accounts/${ACCOUNT}/Messages.json`,
    user: ACCOUNT,
    password: TOKEN,
    form: {
      To: TO,
      From: "+12025550100",
      Body: "4711523 is your code",
      ValidityPeriod: "600",
    },
  });
});

test("it uses a messaging service, and asks for reports if Twilio can reach the gateway", async () => {
  const service = `MG${"a".repeat(32)}`;
  const sms = message();
  await gateway({ TWILIO_FROM: service, PUBLIC_URL: "https://login.example.com/" }).send(sms);
  const { form } = api.requests.at(-1) as (typeof api.requests)[0];
  expect(form).not.toHaveProperty("From");
  expect(form).toMatchObject({
    MessagingServiceSid: service,
    StatusCallback: `https://login.example.com/v1/providers/twilio/${sms.reference}`,
  });
});

test.each([
  [21211, "unreachable_number"],
  [21610, "blocked_number"],
  [21614, "not_a_mobile"],
  [21635, "not_a_mobile"],
  [21408, "rejected_by_carrier"],
])("error %i is final: %s", async (code, reason) => {
  api.answer({ status: 400, code, message: `The number ${TO} is no good` });
  const error = await refusal(gateway().send(message()));
  expect(error).toBeInstanceOf(UndeliverableError);
  expect(error).toMatchObject({ reason });
});

test.each([
  ["too many requests", { status: 429, code: 20429, message: "Too Many Requests" }, "20429"],
  ["wrong credentials", { status: 401, code: 20003, message: "Authenticate" }, "20003"],
  ["a sender that is not ours", { status: 400, code: 21606, message: "From" }, "21606"],
  ["an answer that is not Twilio's", "rubbish" as const, "502"],
])("%s may be temporary", async (_what, answer, code) => {
  api.answer(answer);
  const error = await refusal(gateway().send(message()));
  expect(error).toBeInstanceOf(ProviderError);
  expect(error).toMatchObject({ code });
});

test(
  "a silent Twilio is given up in time for another provider",
  async () => {
    api.answer("silence");
    const other = { send: async () => ({ provider: "other" }) };
    const providers = [
      { name: "twilio", gateway: gateway() },
      { name: "other", gateway: other },
    ];
    const outcomes: object[] = [];
    const log = {
      info: (line: object) => outcomes.push(line),
      warn: (line: object) => outcomes.push(line),
    };
    const sent = await inOrder(providers, log).send(message());
    expect(sent).toEqual({ provider: "other" });
    expect(outcomes).toEqual([
      { provider: "twilio", outcome: "failed", code: "ECONNABORTED" },
      { provider: "other", outcome: "sent" },
    ]);
  },
  limit(15_000),
);

test("an error quotes nothing of Twilio's answer or of the request", async () => {
  const errors: unknown[] = [];
  api.answer({ status: 400, code: 21211, message: `Invalid number ${TO}` });
  errors.push(await refusal(gateway().send(message())));
  api.answer({ status: 503, code: 20503, message: `Cannot send '4711523 is your code' to ${TO}` });
  errors.push(await refusal(gateway().send(message())));
  const away = "http://127.0.0.1:9";
  errors.push(await refusal(gateway({ TWILIO_BASE_URL: away }).send(message())));
  const printed = inspect(errors, { depth: null, showHidden: true });
  const basic = Buffer.from(`${ACCOUNT}:${TOKEN}`).toString("base64");
  for (const secret of ["4711523", TO.slice(1), "%2B1202", TOKEN, basic, "Invalid number"])
    expect(printed).not.toContain(secret);
});
