import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { MINUTE_MS } from "../../units.ts";
import { limit } from "../support/limits.ts";
import { newPhone } from "../support/phones.ts";
import {
  challengeSent,
  enrollPhone,
  logInByPassword,
  logInBySms,
  pinSent,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);

let stack: Stack;
let environment: Record<string, string | undefined>;
const ids = { locked: "", waiting: "", undelivered: "" };

/**
 * One user removed all devices, added one again and is locked. Others wait for a PIN or a message.
 */
beforeAll(async () => {
  await ensureDebianPackage("psql", "postgresql-client", () => {});
  const temporal = await ensureTemporalCli(() => {});
  stack = await startStack();
  const { api } = stack;

  const victim = await stack.createUser();
  const first = await enrollPhone(stack, victim);
  const { token } = await logInBySms(stack, victim, first.e164);
  await api.call("DELETE", "/v1/me/devices", { token });
  await stack.advance(MINUTE_MS);
  const { e164 } = await enrollPhone(stack, victim);
  const { id } = await startChallenge(stack, victim);
  const passcode = await stack.passcodeTo(e164);
  await challengeSent(stack, id);
  for (let n = 1; n <= 7; n++) await api.verifyPasscode(id, wrongCode(passcode, n));
  ids.locked = id;

  const waiting = await logInByPassword(stack, await stack.createUser());
  ids.waiting = (await api.registerPhone(waiting.token, newPhone())).body.id;
  await pinSent(stack, waiting.token, ids.waiting);

  const unreached = await stack.createUser();
  await enrollPhone(stack, unreached);
  stack.failSms("undeliverable");
  ids.undelivered = (await startChallenge(stack, unreached)).id;
  await challengeSent(stack, ids.undelivered);
  stack.failSms();

  environment = {
    ...process.env,
    PATH: `${dirname(temporal)}:${process.env.PATH}`,
    TEMPORAL_ADDRESS: stack.temporal.address,
    TEMPORAL_NAMESPACE: stack.temporal.namespace,
    DATABASE_URL: stack.deps.config.DATABASE_URL,
    USER_ID: victim.id,
    ACCOUNT_ID: victim.accountId,
    CHALLENGE_ID: id,
  };
}, limit(300_000));
afterAll(() => stack.stop());

const document = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
const commands = [...document.matchAll(/^## (\d+)\. (.*?)$.*?^```sh\n(.*?)^```/gms)].map(
  ([, number, question = "", command = ""]) => ({ number: Number(number), question, command }),
);

/** What each command's answer must contain about the flows above. */
const CONTAINED: Record<number, () => RegExp[]> = {
  1: () => [new RegExp(`sms-enrollment/${ids.waiting}`)],
  2: () => [new RegExp(`login-challenge/${ids.undelivered}`)],
  3: () => [new RegExp(`login-challenge/${ids.locked}`), /account_locked/],
  4: () => [/WorkflowExecutionUpdateAccepted/, /WorkflowExecutionCompleted/],
  5: () => [/"?state"?: ?"?locked/],
  6: () => [new RegExp(`login-challenge/${ids.undelivered}`)],
  7: () => [/smsEnrollment/, /loginChallenge/],
  8: () => [/Total: [1-9]/, /login_succeeded/],
  9: () => [/all_devices_removed/],
  10: () => [/\d+@\S+/],
  // The service of this test lives in another year.
  11: () => [/type/],
};

test("the document asks eleven questions", () => {
  expect(commands.map(({ number }) => number)).toEqual(Object.keys(CONTAINED).map(Number));
});

test.each(commands)("$number. $question", async ({ number, command }) => {
  const answer = async () => {
    const { stdout } = await run("bash", ["-euc", command], { env: environment });
    return stdout;
  };
  const wanted = CONTAINED[number]?.() ?? [];
  // Temporal's visibility is a moment behind the workflow.
  const text = await until(answer, (text) => wanted.every((pattern) => pattern.test(text)));
  expect(wanted.length).toBeGreaterThan(0);
  for (const pattern of wanted) expect(text).toMatch(pattern);
});
