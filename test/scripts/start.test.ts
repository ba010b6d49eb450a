import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort, tryPort } from "../../scripts/ports.ts";
import { identityOf } from "../../scripts/process-identity.ts";
import { limit } from "../support/limits.ts";
import { until } from "../support/until.ts";

const PASSWORD = "correct horse battery staple";
const SOME_STARTS_MS = limit(90_000);

/** A stack started as `npm start` does, with its own folder. */
type Stack = ReturnType<typeof start>;

function start(folder: string, port: number, settings: Record<string, string> = {}) {
  // Without NODE_ENV, which the tests set: npm start sets it by name.
  const { DATABASE_URL, REDIS_URL, TEMPORAL_ADDRESS, NODE_ENV, ...inherited } = process.env;
  const stack: ChildProcess = spawn(process.execPath, ["--import", "tsx", "scripts/start.ts"], {
    cwd: checkoutFolder,
    env: {
      ...inherited,
      DATA_DIR: folder,
      PORT: String(port),
      DEMO_PASSWORD: PASSWORD,
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<number | null>((resolve) => stack.once("close", resolve));
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [stack.stdout, stack.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
        if (output.includes("Second Step runs")) resolve();
      });
    }
    ended.then(() => reject(new Error(`It ended before it was ready:\n${output}`)));
  });
  // Only some tests wait for `ready`; without this a rejection would be unhandled.
  ready.catch(() => {});
  return { pid: stack.pid, ready, ended, output: () => output, signal: stack.kill.bind(stack) };
}

async function call(port: number, path: string, body?: object, token?: string) {
  const answer = await fetch(`http://127.0.0.1:${port}/v1${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect in it.
  return { status: answer.status, body: (await answer.json()) as any };
}

async function logIn(port: number): Promise<string> {
  const { status, body } = await call(port, "/login", { username: "bob", password: PASSWORD });
  expect(body).toMatchObject({ status: "authenticated" });
  expect(status).toBe(200);
  return body.session.token;
}

function childrenOf(folder: string): { name: string; pid: number }[] {
  return JSON.parse(readFileSync(join(folder, "stack.json"), "utf8")).children;
}

describe("a stack on this machine", { timeout: SOME_STARTS_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-start-"));
  let port: number;
  let stack: Stack;
  let token: string;
  let device: object;

  beforeAll(async () => {
    port = await freePort();
    stack = start(folder, port);
    await stack.ready;
  }, SOME_STARTS_MS);

  afterAll(async () => {
    stack.signal("SIGTERM");
    await stack.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  test("prints its addresses, its users and their password", async () => {
    expect(stack.output()).toContain(`http://localhost:${port}\n`);
    expect(stack.output()).toContain("Pages, to log in");
    expect(stack.output()).toContain(`http://localhost:${port}/docs`);
    expect(stack.output()).toMatch(/admin .*, alice, bob, support/);
    expect(stack.output()).toContain(PASSWORD);
    expect(stack.output()).toContain(`http://localhost:${port}/dev/phone`);
    const shown = await fetch(`http://127.0.0.1:${port}/dev/phone`);
    expect(shown.status).toBe(200);
    // Browsers offer keys at the name of this machine, not at its address.
    const page = await fetch(`http://127.0.0.1:${port}/login`, {
      headers: { accept: "text/html" },
    });
    expect(page.url).toBe(`http://localhost:${port}/login`);
    expect(await page.text()).toContain("Log in with a passkey");
    const offer = await call(port, "/login/passkey/options", {});
    expect(offer.body.options.rpId).toBe("localhost");
    token = await logIn(port);
    const phone = { countryCode: "US", phoneNumber: "2025550143" };
    const added = await call(port, "/me/devices/sms", phone, token);
    expect(added.status).toBe(201);
    const first = async () => {
      const { body } = await call(port, "/me/multi-factor", undefined, token);
      return body.devices[0];
    };
    device = await until(first, ({ state }) => state === "awaiting_pin");
    expect(device).toMatchObject({ type: "sms" });
  });

  test("limits the memory of its Redis, which then refuses writes and evicts nothing", async () => {
    const gateway = childrenOf(folder).find(({ name }) => name === "Gateway");
    const environment = readFileSync(`/proc/${gateway?.pid}/environ`, "utf8").split("\0");
    const [, url] =
      environment.map((line) => line.split(/=(.*)/s)).find(([name]) => name === "REDIS_URL") ?? [];
    const redis = createClient({ url });
    await redis.connect();
    expect(await redis.configGet("maxmemory*")).toMatchObject({
      maxmemory: String(512 * 1024 ** 2),
      "maxmemory-policy": "noeviction",
    });
    redis.destroy();
  });

  test("leads its Support operator through the set-up of a second factor at the first login", async () => {
    const login = { username: "support", password: PASSWORD };
    const { body } = await call(port, "/login", login);
    expect(body).toMatchObject({ status: "setup_required", session: { scope: "mfa_setup" } });
    const search = "/support/users?query=bob";
    const refused = await call(port, search, undefined, body.session.token);
    expect([refused.status, refused.body.code]).toEqual([403, "setup_only"]);
  });

  test("takes the README's tour with curl: a phone, its PIN, the next login and its passcode", async () => {
    await ensureDebianPackage("curl", "curl", console.error);
    const readme = readFileSync(join(checkoutFolder, "README.md"), "utf8");
    const tour = /^api=.*?(?=^```)/ms.exec(readme)?.[0].replace(":8080", `:${port}`);
    const env = { ...process.env, DEMO_PASSWORD: PASSWORD };
    const { stdout } = await promisify(execFile)("bash", ["-euc", tour ?? "false"], { env });
    expect(stdout).toContain('"signedOut":true');
    expect(stdout).toContain('"amr":["pwd","sms","mfa"]');
  });

  test("lets no second one run on its data, and says where it is", async () => {
    const second = start(folder, await freePort());
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `Second Step is already running (pid ${stack.pid}) at http://localhost:${port}\n`,
    );
    expect((await call(port, "/session", undefined, token)).status).toBe(200);
  });

  test("ends on one Ctrl-C, even if signaled twice, with all that it started and nothing else", async () => {
    const children = childrenOf(folder);
    expect(children.map(({ name }) => name)).toEqual(["Redis", "Temporal", "Worker", "Gateway"]);
    // The terminal signals every process, and npm signals its own child again.
    stack.signal("SIGINT");
    stack.signal("SIGINT");
    expect(await stack.ended).toBe(0);
    for (const { name, pid } of children) expect(identityOf(pid), name).toBeUndefined();
    expect(existsSync(join(folder, "stack.json"))).toBe(false);
    expect(await tryPort(port)).toBe(port);
    const bystander = createClient({ url: inject("redisUrl") });
    await bystander.connect();
    expect(await bystander.ping()).toBe("PONG");
    bystander.destroy();
  });

  test("keeps users, sessions and running workflows over a restart", async () => {
    stack = start(folder, port);
    await stack.ready;
    const { body } = await call(port, "/me/multi-factor", undefined, token);
    expect(body.devices).toEqual([device]);
    await logIn(port);
  });

  test("starts again after a kill, and first ends what was left running", async () => {
    const left = childrenOf(folder);
    stack.signal("SIGKILL");
    await stack.ended;
    expect(left.map(({ pid }) => identityOf(pid))).not.toContain(undefined);
    stack = start(folder, port);
    await stack.ready;
    for (const { name, pid } of left) {
      expect(stack.output()).toContain(`Stopping ${name} (pid ${pid})`);
      expect(identityOf(pid)).toBeUndefined();
    }
    expect((await call(port, "/session", undefined, token)).status).toBe(200);
  });

  test("stops completely when one part dies, and says which", async () => {
    const children = childrenOf(folder);
    const gateway = children.find(({ name }) => name === "Gateway");
    process.kill(gateway?.pid ?? 0, "SIGKILL");
    expect(await stack.ended).toBe(1);
    expect(stack.output()).toContain("Gateway ended with signal SIGKILL. Its last lines:");
    for (const { name, pid } of children) expect(identityOf(pid), name).toBeUndefined();
  });
});

test("a port in use is reported in one line, with what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-start-"));
  const port = await freePort();
  const server = createServer().listen(port, "127.0.0.1");
  const { ended, output } = start(folder, port);
  expect(await ended).toBe(1);
  expect(output()).toMatch(new RegExp(`^Port ${port} cannot be used: set PORT to .*\n$`));
  server.close();
  rmSync(folder, { recursive: true });
});

test("in production it first says what is missing, in plain words, and starts nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-start-"));
  const production = start(folder, await freePort(), { NODE_ENV: "production" });
  expect(await production.ended).toBe(1);
  const output = production.output();
  for (const name of ["SMS_GATEWAY", "SMS_PER_HOUR", "SMS_PER_COUNTRY_AND_HOUR"])
    expect(output).toMatch(new RegExp(`^  ${name}: This is missing\\. .*docs/sms\\.md`, "m"));
  expect(output).not.toMatch(/Starting|\n +at /);

  const outbox = start(folder, await freePort(), { NODE_ENV: "production", SMS_GATEWAY: "outbox" });
  expect(await outbox.ended).toBe(1);
  expect(outbox.output()).toMatch(/ {2}SMS_GATEWAY: outbox reaches no phone.*NODE_ENV=development/);
  rmSync(folder, { recursive: true });
});
