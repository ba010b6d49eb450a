import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cliProgram } from "../../scripts/cli/program.ts";
import { DAY_MS } from "../../units.ts";
import { type Authority, newAuthority } from "../support/certificates.ts";
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
  SMS_PER_HOUR: "110000",
  SMS_PER_COUNTRY_AND_HOUR: "76000",
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

type Line = {
  setting: string;
  value?: unknown;
  source: string;
  default?: string;
  unit?: string;
  fault?: string;
  doubt?: string;
};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What `config check` prints for these settings. */
async function check(settings: Record<string, string>, ...args: string[]) {
  for (const [name, value] of Object.entries({ ...SOUND, ...settings })) vi.stubEnv(name, value);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await cliProgram().parseAsync(["config", "check", ...args], { from: "user" });
  return String(log.mock.calls.at(-1)?.[0]);
}

/** What it says of each setting. */
async function linesOf(settings: Record<string, string>, ...args: string[]) {
  const text = await check(settings, "--json", ...args);
  return (JSON.parse(text) as { settings: Line[] }).settings;
}

async function doubts(settings: Record<string, string>, ...args: string[]) {
  const lines = await linesOf(settings, ...args);
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

test("says of each setting where it comes from, its default and its unit", async () => {
  const lines = await linesOf({ PIN_DIGITS: "6" });
  const lineOf = (name: string) => lines.find(({ setting }) => setting === name);
  expect(lineOf("PIN_DIGITS")).toMatchObject({
    ...{ value: 6, source: "environment", default: "4", unit: "digits" },
  });
  expect(lineOf("PIN_MINUTES")).toMatchObject({ value: 10, source: "default", unit: "minutes" });
  expect(lineOf("WORKER_BUILD_ID")).toMatchObject({ source: "not set" });
  expect(process.exitCode).toBeUndefined();
});

test("doubts an outbox on a machine for development", async () => {
  expect(await doubts({ NODE_ENV: "development", SMS_GATEWAY: "outbox" })).toMatchObject({
    SMS_GATEWAY: expect.stringContaining("no phone"),
  });
});

test("what is wrong stands beside the setting, among all others", async () => {
  const settings = { PORT: "http", SMS_PER_HOUR: "", CODE_KEY: "notasecretkey", TWILIO_FROM: "" };
  const lines = await linesOf({ ...settings, SMS_GATEWAY: "twilio,outbox" });
  expect(lines.length).toBeGreaterThan(40);
  const faults = Object.fromEntries(
    lines.flatMap(({ setting, fault }) => (fault ? [[setting, fault]] : [])),
  );
  expect(faults).toEqual({
    PORT: "This must be a number.",
    SMS_PER_HOUR: expect.stringMatching(/^This is missing\..*docs\/sms\.md/),
    CODE_KEY: "This must be base64.",
    SMS_GATEWAY: expect.stringContaining("refused in production"),
    TWILIO_ACCOUNT_SID: "is required by SMS_GATEWAY=twilio",
    TWILIO_AUTH_TOKEN: "is required by SMS_GATEWAY=twilio",
    TWILIO_FROM: "is required by SMS_GATEWAY=twilio",
  });
  expect(process.exitCode).toBe(1);
  const text = await check({ ...settings, SMS_GATEWAY: "twilio,outbox" });
  expect(text).toMatch(/^PORT +http +environment +8080 +- +wrong: This must be a number\.$/m);
  expect(text).not.toMatch(/secret/);
});

test.each([
  ["TRUSTED_PROXIES", "0", "are throttled together"],
  ["PUBLIC_URL", "http://login.example", "unencrypted"],
  ["PUBLIC_URL", "", "do not name the site"],
  ["NODE_ENV", "development", "production"],
  ["SMTP_URL", "", "no notifications"],
  ["SUPPORT_CONTACT", "", "how to reach Support"],
  ["REDIS_URL", "redis://redis:6379", "no password"],
  ["WEBHOOKS_INSIDE", "true", "inside your network"],
  ["METRICS_ADDRESS", "", "Prometheus"],
])("doubts %s=%s", async (name, value, words) => {
  expect(await doubts({ [name]: value })).toEqual({ [name]: expect.stringContaining(words) });
});

describe("TLS to Temporal", () => {
  const authorities: Authority[] = [];
  afterEach(() => {
    for (const authority of authorities.splice(0)) authority.remove();
  });

  async function certified() {
    const authority = await newAuthority();
    authorities.push(authority);
    const { certificate, key } = await authority.issue("second-step");
    return { TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: key };
  }

  async function faults(settings: Record<string, string>) {
    const lines = await linesOf(settings);
    return Object.fromEntries(
      lines.flatMap(({ setting, fault }) => (fault ? [[setting, fault]] : [])),
    );
  }

  test("takes a certificate with its key, and shows neither", async () => {
    const settings = { TEMPORAL_TLS: "true", ...(await certified()) };
    expect(await faults(settings)).toEqual({});
    expect(await check(settings)).not.toContain("-----BEGIN");
  });

  test("needs both the certificate and the key, and that they belong together", async () => {
    const [one, other] = [await certified(), await certified()];
    const tls = { TEMPORAL_TLS: "true", TEMPORAL_TLS_CERT: "", TEMPORAL_TLS_KEY: "" };
    expect(await faults({ ...tls, TEMPORAL_TLS_KEY: one.TEMPORAL_TLS_KEY })).toEqual({
      TEMPORAL_TLS_CERT: "is required by TEMPORAL_TLS_KEY",
    });
    expect(await faults({ ...tls, TEMPORAL_TLS_CERT: one.TEMPORAL_TLS_CERT })).toEqual({
      TEMPORAL_TLS_KEY: "is required by TEMPORAL_TLS_CERT",
    });
    expect(await faults({ ...tls, ...one, TEMPORAL_TLS_KEY: other.TEMPORAL_TLS_KEY })).toEqual({
      TEMPORAL_TLS_KEY: "is not the key of TEMPORAL_TLS_CERT",
    });
  });

  test("takes only PEM", async () => {
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    const names = { TEMPORAL_TLS: "true", TEMPORAL_TLS_CA: broken, TEMPORAL_TLS_KEY: "none" };
    expect(await faults({ ...names, TEMPORAL_TLS_CERT: "none" })).toEqual({
      TEMPORAL_TLS_CA: expect.stringContaining("certificates in PEM"),
      TEMPORAL_TLS_CERT: expect.stringContaining("certificates in PEM"),
      TEMPORAL_TLS_KEY: expect.stringContaining("a private key in PEM"),
    });
  });

  test.each([
    ["TEMPORAL_API_KEY", "key"],
    ["TEMPORAL_TLS_SERVER_NAME", "temporal.example"],
  ])("must be on for %s", async (name, value) => {
    expect(await faults({ [name]: value })).toEqual({ TEMPORAL_TLS: `${name} needs true` });
  });

  test("doubts a certificate that has expired", async () => {
    const settings = { TEMPORAL_TLS: "true", ...(await certified()) };
    expect(await doubts(settings)).toEqual({});
    const later = Date.now() + 3 * DAY_MS;
    vi.spyOn(Date, "now").mockReturnValue(later);
    expect(await doubts(settings)).toEqual({
      TEMPORAL_TLS_CERT: expect.stringMatching(/^A certificate in it expired on 20\d\d-/),
    });
  });
});

describe("an unusable setting is reported plainly, in the same words wherever it is read", () => {
  const bad: [string, string, string][] = [
    ["PUBLIC_URL", "panel.example", "must be a URL that starts with http:// or https://"],
    ["SMPP_URL", "http://smsc", "must be a URL that starts with smpp:// or smpps://"],
    ["SMTP_URL", "mail:465", "must be a URL that starts with smtp:// or smtps://"],
    ...[
      "redis+sentinel://one:26379",
      "redis+sentinel://one:26379/",
      "redis+sentinel://one:26379/m/0",
      "redis+sentinel://one:26379/m?sentinelPassword=a&db=1",
      "redis+sentinel://me@one:26379/m",
      "redis+sentinel://:pass/word@one:26379/m",
      "redis+sentinel://:100%@one:26379/m",
      "redis+cluster://me@one:6379",
      "redis+cluster://one:6379/0",
    ].map((url): [string, string, string] => ["REDIS_URL", url, "must start with redis://"]),
    ["PORT", "http", "This must be a number."],
    ["LOG_LEVEL", "loud", "This must be one of: fatal, error,"],
  ];

  test.each(bad)("by config check: %s=%s", async (name, value, words) => {
    const line = (await linesOf({ [name]: value })).find(({ setting }) => setting === name);
    expect(line).toMatchObject({ value: /(P|S)_URL$/.test(name) ? "(set)" : value });
    expect(line?.fault).toContain(words);
  });

  test.each(["api/server.ts", "worker.ts"])("at the start of %s", async (program) => {
    const wrong = Object.fromEntries(bad);
    const env = { ...process.env, ...SOUND, ...wrong };
    const args = ["--import", "tsx", program];
    const run = promisify(execFile)(process.execPath, args, { env, timeout: limit(30_000) });
    const { stderr } = await run.catch((error: { stderr: string }) => error);
    for (const [name, , words] of bad) expect(stderr).toContain(`  ${name}: ${words}`);
    expect(stderr).not.toMatch(/Invalid|databasesecret|redissecret|\n +at /);
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
