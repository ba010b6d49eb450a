import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig, SECRETS } from "../config.ts";
import { configurationDocs } from "../scripts/cli/config-docs.ts";
import { hasOutbox } from "../store/redis/messages/outbox.ts";
import { type Authority, newAuthority } from "./support/certificates.ts";
import { environmentOf } from "./support/stack.ts";

const nowhere = { address: "127.0.0.1:1", namespace: "none" };

const env = environmentOf("postgres://127.0.0.1:1/x", "redis://127.0.0.1:1", nowhere);

function supportOf(SUPPORT_CONTACT: string) {
  return loadConfig({ ...env, SUPPORT_CONTACT }).SUPPORT_CONTACT;
}

describe("SUPPORT_CONTACT, which every locked user is shown", () => {
  test.each([
    ["mailto:help@panel.example", "help@panel.example"],
    ["mailto:help@panel.example?subject=Locked", "help@panel.example"],
    ["tel:+1-512-555-0100", "+1-512-555-0100"],
    ["https://panel.example/support", "https://panel.example/support"],
  ])("%s is a link that reads %s", (link, text) => {
    expect(supportOf(link)).toEqual({ text, href: link });
  });

  test.each(["Extension 4711", "Room 12: ask at the desk"])("%s is plain text", (text) => {
    expect(supportOf(text)).toEqual({ text });
  });

  test("left empty it is not set", () => {
    expect(supportOf("")).toBeUndefined();
  });

  test.each(["javascript:alert(1)", "http://panel.example", "https://", "two\nlines"])(
    "%j is refused at the start",
    (text) => {
      expect(() => supportOf(text)).toThrow("SUPPORT_CONTACT");
    },
  );
});

const PRODUCTION = {
  ...{ NODE_ENV: "production", SMS_GATEWAY: "smpp", SMPP_URL: "smpp://a:b@smsc:2775" },
  ...{ SMPP_FROM: "Bank", SMS_PER_HOUR: "100", SMS_PER_COUNTRY_AND_HOUR: "50" },
};

describe("without a word from anybody the service is in production", () => {
  test("so it is if NODE_ENV is not set", () => {
    expect(loadConfig({ ...env, ...PRODUCTION, NODE_ENV: undefined }).NODE_ENV).toBe("production");
  });

  test.each(["SMS_GATEWAY", "SMS_PER_HOUR", "SMS_PER_COUNTRY_AND_HOUR"])(
    "which needs %s, and says where to read on",
    (name) => {
      const start = () => loadConfig({ ...env, ...PRODUCTION, [name]: "" });
      expect(start).toThrow(new RegExp(`  ${name}: This is missing\\. .*docs/sms\\.md`));
    },
  );

  test("which refuses the outbox, also beside a provider", () => {
    for (const SMS_GATEWAY of ["outbox", "smpp,outbox"])
      expect(() => loadConfig({ ...env, ...PRODUCTION, SMS_GATEWAY })).toThrow(
        "SMS_GATEWAY: outbox reaches no phone",
      );
  });

  test("development has an outbox only if it is named", () => {
    const development = { ...env, ...PRODUCTION, NODE_ENV: "development", SMS_PER_HOUR: "" };
    expect(hasOutbox(loadConfig(development))).toBe(false);
    expect(() => loadConfig({ ...development, SMS_GATEWAY: "" })).toThrow("SMS_GATEWAY");
    expect(loadConfig(development).SMS_PER_HOUR).toBe(5000);
  });
});

describe("no setting switches a protection off", () => {
  test.each([
    ["PIN_DIGITS", "3", "9"],
    ["PIN_MINUTES", "0", "31"],
    ["PIN_TRIES", "0", "11"],
    ["PASSCODE_MINUTES", "0", "31"],
    ["CHALLENGE_MINUTES", "1", "31"],
    ["WRONG_PASSCODES", "1", "11"],
    ["OTP_DEVICES_PER_USER", "0", "11"],
    ["SESSION_HOURS", "0", "721"],
    ["SESSION_IDLE_MINUTES", "4", "1441"],
    ["RECENT_LOGIN_MINUTES", "1", "61"],
    ["PASSWORD_MIN_LENGTH", "7", "65"],
    ["WEBHOOKS_PER_ACCOUNT", "0", "51"],
    ["DATABASE_POOL_SIZE", "3", "101"],
    ["TEMPORAL_RETENTION_DAYS", "6", "366"],
  ])("%s is neither %s nor %s", (name, low, high) => {
    for (const value of [low, high, "4.5"])
      expect(() => loadConfig({ ...env, [name]: value })).toThrow(`  ${name}: `);
  });
});

describe("a secret in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "second-step-secrets-"));
  let authority: Authority;
  const all: Record<string, string> = {
    ...env,
    ...PRODUCTION,
    DATABASE_OWNER_URL: "postgres://owner@db/mfa",
    TEMPORAL_TLS: "true",
    TEMPORAL_API_KEY: "token",
    TWILIO_AUTH_TOKEN: "token",
    SMTP_URL: "smtp://mail",
    MAIL_FROM: "login@bank.example",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://traces",
  };
  beforeAll(async () => {
    authority = await newAuthority();
    const { certificate, key } = await authority.issue("worker");
    all.TEMPORAL_TLS_CA = authority.certificate.trim();
    all.TEMPORAL_TLS_CERT = certificate.trim();
    all.TEMPORAL_TLS_KEY = key.trim();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    authority.remove();
  });
  const fileOf = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  test.each(SECRETS)("%s is read from the file, without its last newline", (name) => {
    const { [name]: value = "", ...others } = all;
    const file = fileOf(name, `${value}\n`);
    const config = loadConfig({ ...others, [`${name}_FILE`]: file, [name]: "" });
    expect(config[name]).toEqual(loadConfig(all)[name]);
  });

  test("is refused if the variable is set too", () => {
    const DATABASE_URL_FILE = fileOf("both", "postgres://secret");
    expect(() => loadConfig({ ...all, DATABASE_URL_FILE })).toThrow(
      "  DATABASE_URL: Set DATABASE_URL or DATABASE_URL_FILE, not both.",
    );
  });

  test.each([
    ["cannot be read", join(folder, "none"), "cannot be read (ENOENT)"],
    ["is empty", fileOf("empty", "\n"), "is empty"],
    ["holds what is not valid", fileOf("bad", "mysecret://x"), "must start with postgres://"],
  ])("that %s is told by its name, never by its content", (_, DATABASE_URL_FILE, words) => {
    const start = () => loadConfig({ ...all, DATABASE_URL: "", DATABASE_URL_FILE });
    expect(start).toThrow(words);
    expect(start).toThrow("DATABASE_URL");
    expect(start).not.toThrow("mysecret");
  });
});

test("docs/configuration.md is what config.ts says", () => {
  const file = join(import.meta.dirname, "../docs/configuration.md");
  // Make it anew with: npm run --silent cli -- config docs > docs/configuration.md
  expect(readFileSync(file, "utf8")).toBe(configurationDocs());
});
