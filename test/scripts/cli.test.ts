import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { viewForSupport } from "../../core/support/user-overview.ts";
import { cliProgram } from "../../scripts/cli/program.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { newId } from "../../store/ids.ts";
import { chainEvents } from "../../store/postgres/events/event-chain.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { setRequirement } from "../../store/postgres/users.ts";
import { keptMessages } from "../../store/redis/messages/outbox.ts";
import { logInByApp, verifiedApp } from "../support/apps.ts";
import { freshDatabase } from "../support/databases.ts";
import { pastTriggers } from "../support/event-months.ts";
import { KEY_SETTINGS } from "../support/keys.ts";
import { limit } from "../support/limits.ts";
import { expectProblem } from "../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import type { Ran } from "./resident-cli.ts";

const PASSWORD = "correct horse battery staple";
const SOME_PROCESSES_MS = limit(60_000);

/** Runs `npm run cli -- <args>` in a new process. */
async function cli(env: Record<string, string>, args: string[], input = "") {
  const { DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, DATA_DIR, ...inherited } = process.env;
  const child = spawn(process.execPath, ["scripts/run.mjs", "cli", ...args], {
    cwd: checkoutFolder,
    env: { ...inherited, ...env },
  });
  child.stdin.on("error", () => {}).end(input);
  const [code, out, err] = await Promise.all([
    new Promise<number | null>((resolve) => child.once("close", resolve)),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, out, err };
}

/** One process that runs several commands, one after the other. */
let resident: ChildProcess;
beforeAll(() => {
  const file = join(checkoutFolder, "test/scripts/resident-cli.ts");
  resident = fork(file, { cwd: checkoutFolder, execArgv: ["--import", "tsx"] });
});
afterAll(() => resident.disconnect());

/** Like `cli`, but without a new process, for tests that are not about the process. */
async function quick(env: Record<string, string>, args: string[], input = ""): Promise<Ran> {
  const { DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, DATA_DIR, ...inherited } = process.env;
  const ran = once(resident, "message");
  resident.send({ env: { ...inherited, ...env }, args, input });
  const [answer] = await ran;
  return answer;
}

test("each command, and each of its arguments and options, has a description", async () => {
  const { code, out } = await cli({}, ["unlock", "--help"]);
  expect(code).toBe(0);
  expect(out).toContain("--json");
  const leaves = (command: Command): Command[] =>
    command.commands.length > 0 ? command.commands.flatMap(leaves) : [command];
  const all = leaves(cliProgram());
  expect(all.map((command) => `${command.parent?.name()} ${command.name()}`)).toEqual([
    ...["account create", "account list", "account show", "account set"],
    ...["user create", "user list", "user show", "user set-role", "user set-password"],
    ...["user set-email", "api-key make", "api-key revoke"],
    ...["cli unlock", "cli reset-mfa", "policy show", "policy set"],
    ...["policy resume", "events export", "events verify", "events heads"],
    "cli sql",
    ...["config check", "config docs", "keys reseal", "keys code-key", "sessions end-all"],
    ...["workers list", "workers promote"],
  ]);
  for (const command of all) {
    const words = [command, ...command.registeredArguments, ...command.options];
    for (const { description } of words)
      expect(typeof description === "string" ? description : command.description()).toMatch(
        /\S{3}/,
      );
    expect(command.helpInformation()).toContain("--json");
  }
});

describe("on a service with its own settings", { timeout: SOME_PROCESSES_MS }, () => {
  let stack: Stack;
  let env: Record<string, string>;
  beforeAll(async () => {
    stack = await startStack();
    const { SEALING_KEYS, CODE_KEY, ...config } = stack.deps.config;
    env = {
      ...KEY_SETTINGS,
      NODE_ENV: "test",
      SMS_GATEWAY: "outbox",
      DATABASE_URL: config.DATABASE_URL,
      REDIS_URL: config.REDIS_URL,
      TEMPORAL_ADDRESS: config.TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: config.TEMPORAL_NAMESPACE,
      SEALING_KEYS: SEALING_KEYS.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(","),
      CODE_KEY: (CODE_KEY[0]?.key ?? Buffer.of()).toString("base64"),
    };
  });
  afterAll(() => stack.stop());

  /** A command's JSON answer. Throws with the command's error text if it fails. */
  async function json(args: string[], input?: string) {
    const { code, out, err } = await quick(env, [...args, "--json"], input);
    if (code !== 0) throw new Error(`${args.join(" ")} failed: ${err}`);
    expect(out).toMatch(/^.+\n$/);
    // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect in it.
    return JSON.parse(out) as any;
  }

  async function refused(args: string[], input?: string) {
    const { code, out, err } = await quick(env, args, input);
    expect([code, out], args.join(" ")).toEqual([1, ""]);
    expect(err).not.toMatch(/\bat .*:\d+:\d+|select |insert /);
    return err;
  }

  const events = async (id: string) =>
    ((await json(["user", "show", id])) as Awaited<ReturnType<typeof viewForSupport>>).events;

  async function locked() {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { token } = await logInBySms(stack, user, e164);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    for (let n = 1; n <= 7; n++) await stack.api.verifyPasscode(id, wrongCode(passcode, n));
    await until(async () => (await stack.api.multiFactor(token)).body.locked, Boolean);
    return { user, e164, token };
  }

  test("accounts are created once and shown, in words and as JSON", async () => {
    const name = `Zoë’s 'shop' ${newId()}`;
    const made = await json(["account", "create", name]);
    expect(made).toMatchObject({ name, kind: "panel", requirement: "optional" });
    expect(await refused(["account", "create", name])).toContain("already");
    const cloud = await json(["account", "create", `cloud-${newId()}`, "--kind", "cloud"]);
    expect((await json(["account", "list"])).accounts).toEqual(
      expect.arrayContaining([made, cloud]),
    );
    const settings = { apiKeysBypassMfa: false, enablingIsOwnCall: false, passkeyLogin: true };
    const shown = { ...made, users: 0, configured: 0, links: [], linkedBy: [], ...settings };
    expect(await json(["account", "show", made.id])).toEqual(shown);
    expect((await cli(env, ["account", "show", name])).out).toMatch(/^requirement +optional$/m);
    expect(await json(["policy", "show", name])).toMatchObject({
      ...{ account: name, requirement: "optional", enforceAfter: null, version: 0 },
      ...{ users: 0, configured: 0, toGo: 0 },
    });
  });

  test("events of every account or of one are exported, oldest first", async () => {
    const [one, other] = [await stack.createUser(), await stack.createUser()];
    await logInByPassword(stack, one);
    await logInByPassword(stack, other);
    const exported = async (...args: string[]) => {
      const { code, out, err } = await quick(env, ["events", "export", ...args]);
      expect([code, err]).toEqual([0, ""]);
      return out
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { id: number; type: string; accountId: string });
    };
    const all = await exported();
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(all.map(({ accountId }) => accountId)).toEqual(
      expect.arrayContaining([one.accountId, other.accountId]),
    );
    expect(await exported("--account", one.accountId)).toEqual(
      all.filter(({ accountId }) => accountId === one.accountId),
    );
    expect(await exported("--type", "api_key_made,api_key_revoked")).toEqual([]);
    expect(await refused(["events", "export", "--type", "login_failed,never"])).toContain(
      "no type of event never",
    );
    expect(await exported("--since", "2999-01-01")).toEqual([]);
    expect(await refused(["events", "export", "--account", "nobody"])).toContain(
      "Account nobody was not found",
    );
    expect(await refused(["events", "export", "--since", "soon"])).toContain("Enter a date");
  });

  test("events are compared with their chains: changes are named, and the exit code says so", async () => {
    const { db, config } = stack.deps;
    const [user, other] = [await stack.createUser(), await stack.createUser()];
    for (const one of [user, other]) await logInByPassword(stack, one);
    while ((await chainEvents(db, 500)) > 0);
    const folder = mkdtempSync(join(tmpdir(), "second-step-heads-"));
    const noted = join(folder, "heads.ndjson");
    const heads = await quick(env, ["events", "heads"]);
    writeFileSync(noted, heads.out);
    expect(heads.out).toContain(`{"accountId":"${user.accountId}","seq":`);

    const sound = await quick(env, ["events", "verify", "--heads", noted]);
    expect([sound.code, sound.err]).toEqual([0, ""]);
    expect(sound.out).toMatch(/\d+ events of \d+ accounts: no findings\./);
    expect(sound.out).toContain("This database role could change events");

    const { accountId } = user;
    const { events: recorded } = await listEvents(db, { accountId, limit: 1 });
    const id = recorded[0]?.id;
    await pastTriggers(config.DATABASE_URL, `update events set actor_id = 'x' where id = ${id}`);
    const changed = await quick(env, ["events", "verify"]);
    expect(changed.code).toBe(1);
    expect(changed.out).toMatch(
      new RegExp(`^changed: event ${id} link \\d+ of account ${accountId}$`, "m"),
    );
    const ofOne = await quick(env, ["events", "verify", "--account", other.accountId]);
    expect([ofOne.code, ofOne.out]).toEqual([0, expect.stringContaining("of 1 accounts: no")]);
    await pastTriggers(
      config.DATABASE_URL,
      `delete from event_chain where account_id = '${accountId}'`,
    );
    const { code, out } = await quick(env, ["--json", "events", "verify", "--heads", noted]);
    expect(code).toBe(1);
    expect(JSON.parse(out).findings).toEqual(
      expect.arrayContaining([
        { accountId, what: "inserted", eventId: id },
        { accountId, what: "cut", seq: expect.any(Number) },
      ]),
    );
    rmSync(folder, { recursive: true });
  });

  test("a policy can be set with and without a grace period, and ends the sessions it must end", async () => {
    const { id, name } = await json(["account", "create", `policy-${newId()}`]);
    const user = await stack.createUser({ accountId: id });
    const { token } = await logInByPassword(stack, user);
    const later = await json(["policy", "set", name, "required", "--days", "14"]);
    expect(later).toMatchObject({ requirement: "required", version: 1, toGo: 1 });
    expect(later.enforceAfter).toMatch(/^\d{4}-/);
    expect((await stack.api.session(token)).status).toBe(200);
    // Without --days the command refuses, and says how many users are affected.
    const undecided = await refused(["policy", "set", id, "required"]);
    expect(undecided).toContain("--days <n>");
    expect(undecided).toContain(
      "did not log in with a second factor; users who have none and must add one: 1.",
    );
    expect(await refused(["policy", "set", id, "required", "--now", "--days", "2"])).toContain(
      "cannot be used with",
    );
    expect((await stack.api.session(token)).status).toBe(200);
    expect(await json(["policy", "set", id, "required", "--now"])).toMatchObject({
      ...{ enforceAfter: null, toGo: 1 },
    });
    expect((await stack.api.session(token)).problem.reason).toBe("policy_required");
    expect(await json(["policy", "set", id, "optional"])).toMatchObject({ version: 3 });
    expect(await refused(["policy", "set", id, "optional", "--days", "2"])).toContain(
      "Only a requirement",
    );
    expect(await refused(["policy", "set", id, "required", "--days", "0"])).toContain("365");
    expect(await refused(["policy", "set", id, "perhaps"])).toContain("required");
  });

  test("a key can be required; the administrators who have none are named", async () => {
    const admin = await stack.createUser({ role: "administrator" });
    const { accountId } = admin;
    expect(await refused(["policy", "set", accountId, "phishing_resistant"])).toContain(
      "did not log in with a security key or passkey; users who have none and must add one: 1.",
    );
    const { token } = await logInByPassword(stack, admin);
    const set = ["policy", "set", accountId, "phishing_resistant"];
    expect(await json([...set, "--days", "14"])).toMatchObject({
      ...{ requirement: "phishing_resistant", configured: 0, toGo: 1 },
      administratorsWithoutKey: [admin.username],
    });
    const { out } = await quick(env, ["policy", "show", accountId]);
    expect(out).toMatch(new RegExp(`administrators without a key +${admin.username}`));
    expect(await json([...set, "--now"])).toMatchObject({ enforceAfter: null, toGo: 1 });
    expect((await stack.api.session(token)).problem.reason).toBe("key_required");
  });

  test("login by a passkey alone can be turned off for an account", async () => {
    const { accountId } = await stack.createUser();
    const setting = { setting: "passkey-login", state: "off" };
    const off = ["account", "set", accountId, "passkey-login", "off"];
    expect(await json(off)).toEqual({ changed: true, ...setting });
    expect(await json(off)).toEqual({ changed: false, ...setting });
    expect(await json(["account", "show", accountId])).toMatchObject({ passkeyLogin: false });
  });

  test("an API key is shown once, and making one ends the sessions", async () => {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const { apiKey } = await json(["api-key", "make", user.username]);
    expect(apiKey).toMatch(/^[0-9a-f]{32}$/);
    expect((await stack.api.session(token)).problem.reason).toBe("api_key_changed");
    expect((await quick(env, ["api-key", "make", user.id])).out).toMatch(/once: [0-9a-f]{32}$/m);
    expect(await json(["api-key", "revoke", user.id])).toEqual({ changed: true });
    expect((await quick(env, ["api-key", "revoke", user.id])).out).toContain("had no API key");
    const recorded = await events(user.id);
    expect(JSON.stringify(recorded)).not.toContain(apiKey);
    expect(recorded.map(({ type }) => type).filter((type) => type.startsWith("api_key"))).toEqual(
      ["revoked", "made", "made"].map((what) => `api_key_${what}`),
    );
  });

  test("no API key is made for a Support operator, and one that cannot log in comes with a warning", async () => {
    const operator = await stack.createUser({ role: "support" });
    expect(await refused(["api-key", "make", operator.username])).toContain("Support operator");
    const user = await stack.createUser();
    const make = () => quick(env, ["api-key", "make", user.id]);
    expect((await make()).err).toBe("");
    await enrollPhone(stack, user);
    const warned = await make();
    expect(warned.code).toBe(0);
    expect(warned.out).toMatch(/once: [0-9a-f]{32}$/m);
    expect(warned.err).toContain("has a second factor, so logins with the key are refused");
    expect(await json(["api-key", "make", user.id])).toMatchObject({
      warning: expect.stringContaining(`account set ${user.accountId} api-keys-bypass-mfa on`),
    });
    const { accountId } = user;
    const colleague = await stack.createUser({ accountId });
    const own = { userId: colleague.id, requirement: "required" } as const;
    const type = "user_requirement_changed" as const;
    const at = new Date(stack.clock.now());
    await setRequirement(stack.deps.db, own, { key: newId(), at, type, accountId });
    const needs = await quick(env, ["api-key", "make", colleague.id]);
    expect(needs.err).toContain("needs a second factor");
    await json(["account", "set", user.accountId, "api-keys-bypass-mfa", "on"]);
    expect((await make()).err).toBe("");
  });

  test("an account's settings can be turned on and off", async () => {
    const user = await stack.createUser();
    const set = ["account", "set", user.accountId, "api-keys-bypass-mfa"];
    const setting = { setting: "api-keys-bypass-mfa", state: "on" };
    expect(await json([...set, "on"])).toEqual({ changed: true, ...setting });
    expect(await json(["account", "show", user.accountId])).toMatchObject({
      ...{ apiKeysBypassMfa: true, enablingIsOwnCall: false },
    });
    expect((await quick(env, [...set, "off"])).out).toContain("is off now");
    expect(await refused(["account", "set", user.accountId, "bogus", "on"])).toContain("enabling");
  });

  test("a Support operator can be created, and can work once they have a second factor", async () => {
    const account = (await json(["account", "create", `support-${newId()}`])).name;
    const username = `agent-${newId()}`;
    const create = ["user", "create", username, "--account", account, "--role", "support"];
    const made = await json([...create, "--password-stdin"], `${PASSWORD}\n`);
    expect(made).toMatchObject({ username, role: "support" });
    expect(JSON.stringify(made)).not.toContain(PASSWORD);
    const login = { username, password: PASSWORD };
    const setup = await logInByPassword(stack, login);
    expect(setup.scope).toBe("mfa_setup");
    const { secret } = await verifiedApp(stack, setup.token, true);
    const { token } = await logInByApp(stack, login, secret);
    const path = `/v1/support/users?query=${username}`;
    const found = await stack.api.call<{ users: object[] }>("GET", path, { token });
    expect(found.body.users).toHaveLength(1);
    expect((await events(made.id)).at(-1)).toMatchObject({
      type: "user_added",
      actorId: "command_line",
      userAgent: expect.stringContaining("command line of "),
      detail: { role: "support" },
    });
    expect(await refused(create)).toContain("taken");
  });

  test("without a given password one is made, shown once, and logs in", async () => {
    const account = (await json(["account", "create", `made-${newId()}`])).id;
    const username = `carol-${newId()}`;
    const { out } = await quick(env, ["user", "create", username, "--account", account]);
    const [, password = ""] = /shown only once: (\S+)$/m.exec(out) ?? [];
    expect(password).toHaveLength(20);
    expect((await logInByPassword(stack, { username, password })).scope).toBe("full");
    expect((await json(["user", "list", "--account", account])).users).toMatchObject([
      { username, role: "member", methods: [], lockedAt: null },
    ]);
    expect((await quick(env, ["user", "show", username])).out).not.toContain(password);
  });

  test("a new password or role ends the sessions; the last administrator cannot be demoted", async () => {
    const boss = await stack.createUser({ role: "administrator" });
    const user = await stack.createUser({ accountId: boss.accountId });
    const first = await logInByPassword(stack, user);
    const changed = await json(["user", "set-password", user.id, "--password-stdin"], PASSWORD);
    expect(changed).toEqual({ changed: true });
    expectProblem(await stack.api.session(first.token), "session_revoked");
    expectProblem(await stack.api.logIn(user), "invalid_credentials");
    const second = await logInByPassword(stack, { ...user, password: PASSWORD });

    expect(await refused(["user", "set-role", boss.username, "member"])).toContain("last");
    const promote = ["user", "set-role", user.username.toUpperCase(), "support"];
    expect(await json(promote)).toEqual({ changed: true, role: "support" });
    const ended = expectProblem(await stack.api.session(second.token), "session_revoked");
    expect(ended.reason).toBe("role_changed");
    expect((await json(["user", "set-role", user.id, "member"])).changed).toBe(true);
    expect((await events(user.id)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["password_changed", "role_changed"]),
    );
  });

  test("a user's address can be set, changed and removed; the old address is told", async () => {
    const { username, accountId } = await stack.createUser();
    const name = `${username}-2`;
    const first = `first-${newId()}@example.com`;
    const email = ["--email", first.replace("example", "EXAMPLE")];
    const made = await json(["user", "create", name, "--account", accountId, ...email]);
    expect(made.email).toBe(first);
    const second = `second-${newId()}@example.com`;
    expect(await json(["user", "set-email", name, second])).toEqual({
      changed: true,
      email: second,
    });
    expect(await json(["user", "set-email", name])).toEqual({ changed: true, email: null });
    const mailTo = (to: string) => async () =>
      (await keptMessages(stack.deps.redis, to)).map(({ body }) => body).join();
    expect(await until(mailTo(first), Boolean)).toContain("By:    an operator of the service");
    expect(
      await until(mailTo(second), (text) => text.includes("no longer send notifications")),
    ).not.toContain(first);
    expect(await refused(["user", "set-email", name, "nobody"])).toContain("not an email address");
  });

  test("an unlock ends a lock, with its reason; without a lock the command says so", async () => {
    const { user, e164, token } = await locked();
    const unlock = ["unlock", user.username, "--reason", "Ticket 42"];
    expect(await json(unlock)).toEqual({ changed: true });
    expect((await stack.api.session(token)).status).toBe(200);
    expect((await startChallenge(stack, user)).attemptsRemaining).toBe(7);
    await stack.passcodeTo(e164);
    expect((await quick(env, unlock)).out).toContain("was not locked; nothing changed");
    const recorded = (await events(user.id)).filter(({ type }) => type === "account_unlocked");
    expect(recorded).toMatchObject([{ actorId: "command_line", detail: { reason: "Ticket 42" } }]);
  });

  test("a reset removes the devices and ends the sessions, and keeps the lock", async () => {
    const { user, token } = await locked();
    const reset = ["reset-mfa", user.id, "--reason", "Lost the phone"];
    expect(await json(reset)).toEqual({ changed: true });
    expect(await json(reset)).toEqual({ changed: false });
    const ended = expectProblem(await stack.api.session(token), "session_revoked");
    expect(ended.reason).toBe("multi_factor_reset");
    expect((await json(["user", "show", user.username])).multiFactor).toMatchObject({
      ...{ enabled: false, locked: true, devices: [] },
    });
    expectProblem(await stack.api.logIn(user), "account_locked");
  });

  test("while Redis is away the lock stays as it is, and the command says why", async () => {
    const { user } = await locked();
    const away = { ...env, REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const { code, err } = await cli(away, ["unlock", user.id, "--reason", "Ticket 42"]);
    expect([code, err]).toEqual([1, expect.stringContaining("does not answer")]);
    expectProblem(await stack.api.logIn(user), "account_locked");
  });

  test("unknown names and unusable values are refused in one line", async () => {
    const { username } = await stack.createUser();
    for (const name of ["%", "' or 1=1 --", "0".repeat(32)])
      expect(await refused(["user", "show", name])).toContain(`User ${name} was not found`);
    const more: [string[], string, string?][] = [
      [["account", "create", "x".repeat(65)], "1 to 64"],
      [["user", "create", "x", "--account", "nobody's"], "Account nobody's was not found"],
      [["user", "create", "a\u202eb", "--account", "x"], "letters, digits and signs"],
      [["user", "set-role", username, "root"], "Allowed choices"],
      [["user", "set-password", username, "--password-stdin"], "at least 8 characters", "short\n"],
      [["unlock", username], "--reason"],
      [["reset-mfa", username, "--reason", " ".repeat(9)], "3 characters"],
      [["bogus"], "unknown command"],
    ];
    for (const [args, words, input] of more)
      expect(await refused(args, input), args.join(" ")).toContain(words);
  });

  test("missing tables and missing settings are reported", async () => {
    const own = await freshDatabase("postgres");
    const empty = await cli({ ...env, DATABASE_URL: own.url }, ["account", "list"]);
    await own.drop();
    expect([empty.code, empty.err]).toEqual([
      1,
      expect.stringContaining("run scripts/migrate (docs/upgrading.md)"),
    ]);
    const bare = await cli({ DATABASE_URL: own.url }, ["account", "list"]);
    expect([bare.code, bare.err]).toEqual([1, expect.stringContaining("SEALING_KEYS")]);
  });
});

describe("on the stack of npm start", { timeout: limit(120_000) }, () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("it works without any configuration, and says so when no stack runs", async () => {
    const { DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, ...inherited } = process.env;
    const port = String(await freePort());
    const env = { ...inherited, NODE_ENV: "development", DATA_DIR: folder, PORT: port };
    const none = await cli({ DATA_DIR: folder }, ["account", "list"]);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("No Second Step runs on")]);

    const start = ["--import", "tsx", "scripts/start.ts"];
    const stack = spawn(process.execPath, start, { cwd: checkoutFolder, env });
    const ended = new Promise((resolve) => stack.once("close", resolve));
    try {
      await new Promise<void>((resolve, reject) => {
        let output = "";
        for (const stream of [stack.stdout, stack.stderr])
          stream.setEncoding("utf8").on("data", (chunk: string) => {
            output += chunk;
            if (output.includes("Second Step runs")) resolve();
          });
        ended.then(() => reject(new Error(`It ended before it was ready:\n${output}`)));
      });
      const json = async (args: string[], input?: string) =>
        JSON.parse((await cli({ DATA_DIR: folder }, [...args, "--json"], input)).out);
      const create = ["user", "create", "dora", "--account", "demo", "--password-stdin"];
      expect(await json(create, PASSWORD)).toMatchObject({ username: "dora", role: "member" });
      const login = await fetch(`http://127.0.0.1:${port}/v1/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "dora", password: PASSWORD }),
      });
      expect(await login.json()).toMatchObject({ status: "authenticated" });
      const reset = await json(["reset-mfa", "dora", "--reason", "Ticket 42"]);
      expect(reset).toEqual({ changed: false });
      expect(await json(["unlock", "dora", "--reason", "Ticket 42"])).toEqual({ changed: false });
      expect(await json(["keys", "reseal"])).toEqual({ resealed: 0, key: "first" });
    } finally {
      stack.kill("SIGTERM");
      await ended;
    }
    const gone = await cli({ DATA_DIR: folder }, ["account", "list"]);
    expect(gone.err).toContain("No Second Step runs on");
  });
});
