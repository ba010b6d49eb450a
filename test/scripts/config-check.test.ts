import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cliProgram } from "../../scripts/cli/program.ts";
import { limit } from "../support/limits.ts";

// Runs in this process, because the command needs no other part of the service.
const SECRETS = {
  DATABASE_URL: "postgres://second_step:databasesecret@127.0.0.1:1/none",
  REDIS_URL: "redis://:redissecret@redis:6379",
  SEALING_KEYS: `first:${randomBytes(32).toString("base64")}`,
  CODE_KEY: randomBytes(32).toString("base64"),
};
const SOUND = {
  ...SECRETS,
  NODE_ENV: "production",
  PUBLIC_URL: "https://login.example",
  TEMPORAL_ADDRESS: "127.0.0.1:1",
  SMS_GATEWAY: "smpp",
  SMPP_URL: "smpps://id:smppsecret@smsc:3550",
  SMPP_FROM: "Bank",
  SMTP_URL: "smtps://id:smtpsecret@mail:465",
  MAIL_FROM: "login@bank.example",
  SUPPORT_CONTACT: "mailto:help@bank.example",
  TRUSTED_PROXIES: "1",
  METRICS_ADDRESS: "127.0.0.1:9465",
  WORKER_METRICS_ADDRESS: "127.0.0.1:9464",
  OTEL_EXPORTER_OTLP_ENDPOINT: "https://id:tracessecret@traces:4318",
};

type Line = { setting: string; value?: unknown; doubt?: string };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What `config check` prints for these settings. */
async function check(settings: Record<string, string>, ...args: string[]) {
  for (const [name, value] of Object.entries({ ...SOUND, ...settings })) vi.stubEnv(name, value);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await cliProgram().parseAsync(["config", "check", ...args], { from: "user" });
  return String(log.mock.calls.at(-1)?.[0]);
}

async function doubts(settings: Record<string, string>, ...args: string[]) {
  const text = await check(settings, "--json", ...args);
  const lines = (JSON.parse(text) as { settings: Line[] }).settings;
  return Object.fromEntries(
    lines.flatMap(({ setting, doubt }) => (doubt ? [[setting, doubt]] : [])),
  );
}

test("lists every setting and no secret", async () => {
  for (const text of [await check({}), await check({}, "--json")]) {
    for (const name of Object.keys(SOUND)) expect(text).toContain(name);
    expect(text).not.toMatch(/secret/);
    for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
    expect(text).toContain("https://login.example");
    expect(text).toContain("help@bank.example");
    expect(text).not.toContain("[object");
  }
});

test("has no doubt about sound settings", async () => {
  expect(await doubts({})).toEqual({});
});

test.each([
  ["TRUSTED_PROXIES", "0", "are throttled together"],
  ["PUBLIC_URL", "http://login.example", "unencrypted"],
  ["PUBLIC_URL", "", "do not name the site"],
  ["NODE_ENV", "development", "production"],
  ["SMS_GATEWAY", "outbox", "no phone"],
  ["SMTP_URL", "", "no notifications"],
  ["SUPPORT_CONTACT", "", "how to reach Support"],
  ["REDIS_URL", "redis://redis:6379", "no password"],
  ["WEBHOOKS_INSIDE", "true", "inside your network"],
  ["METRICS_ADDRESS", "", "Prometheus"],
])("doubts %s=%s", async (name, value, words) => {
  expect(await doubts({ [name]: value })).toEqual({ [name]: expect.stringContaining(words) });
});

describe("an unusable setting is reported plainly, in the same words wherever it is read", () => {
  const bad: [string, string, string][] = [
    ["PUBLIC_URL", "panel.example", "must be a URL that starts with http:// or https://"],
    ["SMPP_URL", "http://smsc", "must be a URL that starts with smpp:// or smpps://"],
    ["SMTP_URL", "mail:465", "must be a URL that starts with smtp:// or smtps://"],
    ["PORT", "http", "This must be a number."],
    ["LOG_LEVEL", "loud", "This must be one of: fatal, error,"],
  ];

  test.each(bad)("by config check: %s=%s", async (name, value, words) => {
    await expect(check({ [name]: value })).rejects.toThrow(`  ${name}: ${words}`);
  });

  test.each(["api/server.ts", "worker.ts"])("at the start of %s", async (program) => {
    const wrong = Object.fromEntries(bad);
    const env = { ...process.env, ...SOUND, ...wrong };
    const args = ["--import", "tsx", program];
    const run = promisify(execFile)(process.execPath, args, { env, timeout: limit(30_000) });
    const { stderr } = await run.catch((error: { stderr: string }) => error);
    for (const [name, , words] of bad) expect(stderr).toContain(`  ${name}: ${words}`);
    expect(stderr).not.toMatch(/Invalid|databasesecret|redissecret/);
  });
});

test("asks a gateway what it noticed", async () => {
  const server = createServer((_, response) => {
    response.end(JSON.stringify({ status: "ready", doubts: [{ detail: "too few" }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect(await doubts({}, "--gateway", url)).toEqual({ TRUSTED_PROXIES: "too few" });
  } finally {
    server.close();
  }
  await expect(check({}, "--gateway", url)).rejects.toThrow("No gateway answers");
});
