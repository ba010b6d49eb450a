import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
import { environmentOf, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);

let stack: Stack;
let environment: Record<string, string | undefined>;
const ids = { locked: "", waiting: "", undelivered: "" };

/**
 * One user removed all devices, added one again and is locked. Others wait for a PIN or a message.
 */
beforeAll(async () => {
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

  const { config } = stack.deps;
  environment = {
    ...process.env,
    ...environmentOf(config.DATABASE_URL, config.REDIS_URL, stack.temporal),
    PATH: `${standIns()}:${dirname(temporal)}:${process.env.PATH}`,
    USER_ID: victim.id,
    ACCOUNT_ID: victim.accountId,
    CHALLENGE_ID: id,
    BUILD_ID: "2",
    WORKFLOW_ID: "none",
  };
}, limit(300_000));
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "second-step-operations-"));

/**
 * `docker` and `kubectl` as far as the document uses them: they take the options that it writes, know
 * the services of docker-compose.yml and what each image has, and run that on this machine. The
 * image's dist/scripts/cli.js is scripts/cli.ts here.
 */
function standIns(): string {
  const refuse = 'echo "no such command here: $*" >&2; exit 64';
  const scripts = {
    docker: `
      case "$1 $2 $3 $4 $5" in
        "compose exec -T gateway node") shift 6; exec node --import tsx scripts/cli.ts "$@" ;;
        "compose run --rm -T temporal-cli") shift 5; exec temporal "$@" ;;
        *) ${refuse} ;;
      esac`,
    kubectl: `
      case "$1 $2 $3 $4 $5" in
        "exec -i deploy/second-step-gateway -- node") shift 6; exec node --import tsx scripts/cli.ts "$@" ;;
        "exec -i deploy/second-step-temporal-cli -- temporal") shift 4; exec "$@" ;;
        *) ${refuse} ;;
      esac`,
  };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

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
  11: () => [/^No rows/],
};

test("the document asks eleven questions", () => {
  expect(commands.map(({ number }) => number)).toEqual(Object.keys(CONTAINED).map(Number));
});

/** The functions `cli` and `temporal` as the document defines them for each kind of installation. */
const [compose, kubernetes] = ["docker compose", "kubectl"].map(
  (program) =>
    [...document.matchAll(/^```sh\n(cli\(\).*?)^```/gms)].find(([, block]) =>
      block?.includes(program),
    )?.[1],
);

const runAs = async (definitions: string | undefined, command: string) => {
  const script = `${definitions}\n${command}`;
  return (await run("bash", ["-euc", script], { env: environment, cwd: root })).stdout;
};

describe.each([
  { where: "Docker Compose", definitions: compose },
  { where: "Kubernetes", definitions: kubernetes },
])("with $where", ({ definitions }) => {
  test.each(commands)("$number. $question", async ({ number, command }) => {
    const wanted = CONTAINED[number]?.() ?? [];
    expect(wanted.length).toBeGreaterThan(0);
    // Temporal's visibility is a moment behind the workflow.
    const text = await until(
      () => runAs(definitions, command),
      (text) => wanted.every((pattern) => pattern.test(text)),
    );
    for (const pattern of wanted) expect(text).toMatch(pattern);
  });
});

test("the first administrator and the first Support operator can log in with what is printed", async () => {
  const [, block = ""] = /^# The first administrator.*?^```sh\n(.*?)^```/ms.exec(document) ?? [];
  const printed = await runAs(compose, block);
  const passwords = [...printed.matchAll(/User (\w+) \((\w+)\).*once: (\S+)/g)];
  expect(passwords.map(([, username, role]) => [username, role])).toEqual([
    ["carol", "administrator"],
    ["sam", "support"],
  ]);
  for (const [, username = "", , password = ""] of passwords)
    expect((await stack.api.logIn({ username, password })).status).toBe(200);
});

test("every question to PostgreSQL, in the document and in the runbooks, fits the tables", async () => {
  const books = readdirSync(join(root, "docs/runbooks"));
  const texts = books.map((name) => readFileSync(join(root, "docs/runbooks", name), "utf8"));
  const questions = [document, ...texts].flatMap((text) =>
    [...text.matchAll(/^cli sql "(.*)"$/gm)].map(([, statement = ""]) => statement),
  );
  expect(questions.length).toBeGreaterThan(15);
  for (const statement of questions)
    await stack.deps.db.execute(sql.raw(`explain ${statement.replaceAll(/\$\w+/g, "x")}`));
});

test("attack: a question to PostgreSQL changes nothing", async () => {
  const forbidden = ["delete from event_queue", "select 1; commit; delete from event_queue"];
  // A statement without a name must not be several either.
  for (const named of ["true", "false"])
    for (const statement of forbidden)
      await expect(
        runAs(compose, `export DATABASE_NAMED_STATEMENTS=${named}; cli sql "${statement}"`),
      ).rejects.toThrow(/read-only transaction|multiple commands/);
});
