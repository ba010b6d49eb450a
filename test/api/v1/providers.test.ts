import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { newId } from "../../../store/ids.ts";
import { keys } from "../../../store/redis/keys.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import { challengeSent, enrollPhone, startChallenge } from "../../support/scenarios.ts";
import { checkedClient } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const PUBLIC_URL = "https://login.example.com";
const TOKEN = "the-auth-token";

const stack = useStack({ environment: { PUBLIC_URL, TWILIO_AUTH_TOKEN: TOKEN } });
let post: ReturnType<typeof postTo>;
beforeAll(async () => {
  post = postTo(stack.app);
});

const pathOf = (reference: string) => `/v1/providers/twilio/${reference}`;

/** A delivery report, as Twilio posts it. */
const formOf = (status: string, more: Record<string, string> = {}) => ({
  AccountSid: `AC${"1".repeat(32)}`,
  ApiVersion: "2010-04-01",
  From: "+12025550100",
  MessageSid: `SM${"2".repeat(32)}`,
  MessageStatus: status,
  SmsSid: `SM${"2".repeat(32)}`,
  SmsStatus: status,
  To: "+12025550142",
  ...more,
});

const sign = (url: string, form: Record<string, string>, token = TOKEN) =>
  getExpectedTwilioSignature(token, url, form);

/** Posts a form to an app, by default signed for its URL. */
function postTo(app: ReturnType<typeof createApp>) {
  const client = checkedClient(app, stack.document, stack.logged);
  return (
    reference: string,
    form: Record<string, string>,
    signature = sign(PUBLIC_URL + pathOf(reference), form),
    more: Record<string, string> = {},
  ) =>
    client.call<undefined>("POST", pathOf(reference), {
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        ...(signature && { "x-twilio-signature": signature }),
        ...more,
      },
      body: new URLSearchParams(form).toString(),
    });
}

/** A login with a sent passcode, and the reference of its message. */
async function sent() {
  const user = await stack.createUser();
  await enrollPhone(stack, user);
  const { id } = await startChallenge(stack, user);
  await challengeSent(stack, id);
  const newest = keys.newestDelivery(workflowIds.loginChallenge(id));
  const reference = (await stack.deps.redis.get(newest)) as string;
  const challenge = async () => (await stack.api.challenge(id)).body;
  return { reference, challenge };
}

test("Twilio's report reaches the user who waits for the message", async () => {
  const arrived = await sent();
  for (const status of ["queued", "sent", "delivered"]) {
    const answer = await post(arrived.reference, formOf(status));
    expect([answer.status, answer.text]).toEqual([204, ""]);
  }
  await until(arrived.challenge, ({ delivery }) => delivery === "delivered");

  const lost = await sent();
  await post(lost.reference, formOf("undelivered", { ErrorCode: "30006" }));
  const { problem } = await until(lost.challenge, ({ state }) => state === "delivery_failed");
  expect(problem).toBe("not_a_mobile");

  const odd = await sent();
  await post(odd.reference, formOf("failed", { ErrorCode: "39999" }));
  await until(odd.challenge, ({ problem }) => problem === "unknown");
});

test("a report about an unknown message gets the same answer as one about a known message", async () => {
  const { reference } = await sent();
  const known = await post(reference, formOf("delivered"));
  const unknown = await post(newId(), formOf("delivered"));
  const seen = ({ status, text, headers }: typeof known) => {
    const fields = Object.fromEntries(headers);
    delete fields["x-request-id"];
    return { status, text, fields };
  };
  expect(seen(unknown)).toEqual(seen(known));
});

test("a report without a valid signature of Twilio is refused and changes nothing", async () => {
  const { reference, challenge } = await sent();
  const form = formOf("failed", { ErrorCode: "30003" });
  const url = PUBLIC_URL + pathOf(reference);
  const forged = [
    ["", form],
    ["x", form],
    [sign(url, form, "another-token"), form],
    [sign(url, formOf("delivered")), form],
    [sign(url, form), { ...form, More: "x" }],
    [sign(PUBLIC_URL + pathOf(newId()), form), form],
    [sign(`https://attacker.example.com${pathOf(reference)}`, form), form],
    [sign(`http://login.example.com${pathOf(reference)}`, form), form],
  ] as const;
  for (const [signature, sentForm] of forged) {
    const answer = await post(reference, sentForm, signature, {
      host: "attacker.example.com",
      "x-forwarded-host": "attacker.example.com",
    });
    expect([answer.status, answer.problem.code]).toEqual([403, "signature_rejected"]);
  }
  expect(await challenge()).toMatchObject({ state: "awaiting_passcode", delivery: "sent" });
});

test.each(["TWILIO_AUTH_TOKEN", "PUBLIC_URL"])(
  "without %s no report is accepted",
  async (missing) => {
    const config = { ...stack.deps.config, [missing]: undefined };
    const bare = postTo(createApp({ ...stack.deps, config }));
    const reference = newId();
    const form = formOf("delivered");
    for (const token of [TOKEN, "", "undefined"]) {
      const signature = sign(PUBLIC_URL + pathOf(reference), form, token);
      expect((await bare(reference, form, signature)).status).toBe(403);
    }
  },
);

test("only this call accepts forms, and it accepts nothing else", async () => {
  const body = "username=a&password=b";
  const type = "application/x-www-form-urlencoded";
  const headers = { "content-type": type, "content-length": String(body.length) };
  const { status } = await stack.api.call("POST", "/v1/login", { headers, body });
  expect(status).toBe(415);
  for (const call of [{ body: { MessageStatus: "delivered" } }, {}])
    expect((await stack.api.call("POST", pathOf(newId()), call)).status).toBe(415);
});
