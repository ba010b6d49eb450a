import { createConnection, createServer } from "node:net";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { smppGateway } from "../../providers/sms/smpp.ts";
import type { DeliveryReport } from "../../providers/sms/sms.ts";
import { newId } from "../../store/ids.ts";
import { connectRedis, type Redis } from "../../store/redis/connect.ts";
import { startSmsc, treat } from "../support/smsc/smsc.ts";
import { environmentOf } from "../support/stack.ts";
import { startTlsFront } from "../support/tls-front.ts";
import { until } from "../support/until.ts";

const TIMING = { answerMs: 1_000, keepAliveMs: 200, firstRetryMs: 50, lastRetryMs: 200 };
/** Longer times, for a test that must not time out. */
const CALM = { answerMs: 5_000, keepAliveMs: 30_000, firstRetryMs: 50, lastRetryMs: 200 };
const NOWHERE = { address: "127.0.0.1:1", namespace: "none" };
const { limits } = loadConfig(environmentOf("postgres://x", "redis://x", NOWHERE));

let redis: Redis;
let smsc: Awaited<ReturnType<typeof startSmsc>>;
beforeAll(async () => {
  redis = await connectRedis(inject("redisUrl"), () => {});
  smsc = await startSmsc();
});
afterAll(async () => {
  await smsc.stop();
  await redis.close();
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  // Waits until the SMSC has seen every session end; otherwise one would disturb the next test.
  await until(
    async () => smsc.sessions(),
    (count) => count === 0,
  );
});

function connect({ url = smsc.url, from = "+12025550100", timing = CALM } = {}) {
  const reports: DeliveryReport[] = [];
  const logged: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void logged.push({ level, fields, message });
  const log = { info: at("info"), warn: at("warn") };
  const onReport = async (report: DeliveryReport) => void reports.push(report);
  const gateway = smppGateway({ url, from, limits, redis, log, onReport }, timing);
  closing.push(gateway.close);
  return {
    gateway,
    reports,
    logged,
    bound: () =>
      until(
        async () => logged.filter(({ message }) => message === "bound to the SMSC"),
        ({ length }) => length > 0,
      ),
    reportOn: async (reference: string) => {
      const about = async () => reports.filter((report) => report.reference === reference);
      return (await until(about, ({ length }) => length > 0))[0];
    },
  };
}

let numbers = 0;
const numberFor = (treatment = "01") =>
  `+1202555${String(numbers++ % 100).padStart(2, "0")}${treatment}`;
const message = (to = numberFor(), body = "1234 is your code") => ({
  to,
  body,
  reference: newId(),
});

const arrived = async (to: string, count = 1) =>
  (
    await until(
      async () => smsc.events().filter((one) => one.event === "submit" && `+${one.to}` === to),
      ({ length }) => length >= count,
    )
  ).filter((one) => one.event === "submit");

test("a message arrives unchanged, and its receipt comes back under its reference", async () => {
  const { gateway, bound, reportOn } = connect();
  await bound();
  const sms = message(undefined, "1234567 is your code.\n\n@login.example.com #1234567");
  expect(await gateway.send(sms)).toEqual({ provider: "smpp" });
  const [seen] = await arrived(sms.to);
  expect(seen).toMatchObject({
    to: sms.to.slice(1),
    toTon: 1,
    toNpi: 1,
    from: "12025550100",
    fromTon: 1,
    fromNpi: 1,
    coding: 0,
    esmClass: 0,
    registered: 1,
    validity: "000000001000000R",
    octets: Buffer.from(sms.body.replace("@", "\0"), "latin1").toString("hex"),
  });
  expect(await reportOn(sms.reference)).toEqual({
    reference: sms.reference,
    outcome: "delivered",
  });
  expect(await smsc.seen("receipt", 1)).toContainEqual({
    event: "receipt",
    id: seen?.id,
    acknowledged: true,
  });
});

test("text outside GSM's alphabet goes in UCS-2; a long text goes in parts, with one receipt", async () => {
  const { gateway, bound, reportOn, reports } = connect({ from: "Second Step" });
  await bound();
  const cyrillic = message(undefined, "Код 1234");
  await gateway.send(cyrillic);
  expect(await arrived(cyrillic.to)).toMatchObject([
    { coding: 8, octets: "041a043e043400200031003200330034", fromTon: 5, fromNpi: 0 },
  ]);
  const long = message(undefined, `${"long ".repeat(39)}end`);
  await gateway.send(long);
  const parts = await arrived(long.to, 2);
  expect(parts.map(({ esmClass, registered }) => ({ esmClass, registered }))).toEqual([
    { esmClass: 0x40, registered: 0 },
    { esmClass: 0x40, registered: 1 },
  ]);
  const texts = parts.map(({ octets }) => Buffer.from(octets, "hex").subarray(6).toString());
  expect(texts.join("")).toBe(long.body);
  expect(await reportOn(long.reference)).toMatchObject({ outcome: "delivered" });
  expect(reports.filter(({ reference }) => reference === long.reference)).toHaveLength(1);
});

test.each([
  ["by its text", treat.unreachable, { outcome: "failed", reason: "unreachable_number" }],
  ["by TLVs", treat.expired, { outcome: "failed", reason: "expired" }],
  ["before its message's id is known", treat.reportedEarly, { outcome: "delivered" }],
  ["with its id in decimal", treat.reportedInDecimal, { outcome: "delivered" }],
])("a receipt is understood %s", async (_how, treatment, report) => {
  const { gateway, bound, reportOn } = connect();
  await bound();
  const sms = message(numberFor(treatment));
  await gateway.send(sms);
  expect(await reportOn(sms.reference)).toEqual({ reference: sms.reference, ...report });
});

test("a receipt about an intermediate state is ignored", async () => {
  const { gateway, bound, reportOn, reports } = connect();
  await bound();
  const enroute = message(numberFor(treat.enroute));
  await gateway.send(enroute);
  const [seen] = await arrived(enroute.to);
  await until(
    async () => smsc.events(),
    (all) => all.some((one) => one.event === "receipt" && one.id === seen?.id),
  );
  const next = message();
  await gateway.send(next);
  await reportOn(next.reference);
  expect(reports.map(({ reference }) => reference)).toEqual([next.reference]);
});

test("any worker may get the receipt", async () => {
  const sender = connect();
  await sender.bound();
  const other = connect();
  await other.bound();
  const sms = message(numberFor(treat.reportedElsewhere));
  await sender.gateway.send(sms);
  expect(await other.reportOn(sms.reference)).toMatchObject({ outcome: "delivered" });
  expect(sender.reports).toEqual([]);
});

test("a refused number is final; a busy or silent SMSC is tried again", async () => {
  const { gateway, bound } = connect({ timing: { ...CALM, answerMs: 500 } });
  await bound();
  await expect(gateway.send(message(numberFor(treat.refused)))).rejects.toMatchObject({
    reason: "unreachable_number",
  });
  await expect(gateway.send(message(numberFor(treat.throttled)))).rejects.toMatchObject({
    name: "Error",
    code: "ESME_RTHROTTLED",
  });
  await expect(gateway.send(message(numberFor(treat.unanswered)))).rejects.toMatchObject({
    code: "timeout",
  });
});

test("each side asks whether the other is alive, and the session stays", async () => {
  const before = smsc.events().length;
  // The SMSC sends `enquire_link` twice between two of ours, and ends a session that does not
  // answer within 2 s.
  const { gateway, logged, bound } = connect({ timing: { ...CALM, keepAliveMs: 700 } });
  await bound();
  await until(
    async () => smsc.events().slice(before),
    (since) => since.filter(({ event }) => event === "enquire_link").length >= 5,
  );
  await gateway.send(message());
  expect(logged.map(({ message }) => message)).toEqual(["bound to the SMSC"]);
  const kinds = smsc
    .events()
    .slice(before)
    .map(({ event }) => event);
  expect(kinds.filter((kind) => kind === "bind")).toHaveLength(1);
  expect(kinds).not.toContain("ended");
});

test("it unbinds when it is closed", async () => {
  const { gateway, bound } = connect();
  await bound();
  const before = smsc.events().length;
  await gateway.close();
  const ended = await until(
    async () =>
      smsc
        .events()
        .slice(before)
        .filter((one) => one.event === "ended"),
    ({ length }) => length > 0,
  );
  expect(ended).toEqual([{ event: "ended", state: "UNBOUND" }]);
  await expect(gateway.send(message())).rejects.toMatchObject({ code: "not_bound" });
});

test("an SMSC that dies is bound to again once it is back", async () => {
  const { gateway, bound, logged, reportOn } = connect({ timing: TIMING });
  await bound();
  await smsc.kill();
  await until(
    async () => logged,
    (lines) => lines.some(({ level }) => level === "warn"),
  );
  await expect(gateway.send(message())).rejects.toMatchObject({ code: "not_bound" });
  await smsc.start();
  const sms = message();
  await until(
    () =>
      gateway.send(sms).then(
        () => true,
        () => false,
      ),
    Boolean,
  );
  expect(await reportOn(sms.reference)).toMatchObject({ outcome: "delivered" });
});

test("a dead connection that did not close is noticed and replaced", async () => {
  const wire = await startWire(smsc.port);
  closing.push(wire.stop);
  const url = smsc.url.replace(`:${smsc.port}`, `:${wire.port}`);
  const { gateway, bound, logged } = connect({ url, timing: TIMING });
  await bound();
  await gateway.send(message());
  wire.freeze();
  await until(
    async () => logged.map(({ fields }) => (fields as { code?: string }).code),
    (codes) => codes.includes("timeout"),
  );
  wire.thaw();
  await until(
    () =>
      gateway.send(message()).then(
        () => true,
        () => false,
      ),
    Boolean,
  );
});

test.each([
  ["password", (url: string) => url.replace(encodeURIComponent(smsc.password), "wrong-pw")],
  ["system id", (url: string) => url.replace("second-step", "stranger")],
])("a wrong %s is reported in the log, without the password", async (_what, change) => {
  const { gateway, logged } = connect({ url: change(smsc.url), timing: TIMING });
  const [line] = await until(
    async () => logged,
    ({ length }) => length > 0,
  );
  expect(line).toEqual({
    level: "warn",
    fields: { provider: "smpp", code: expect.stringMatching(/^ESME_RINV(PASWD|SYSID)$/) },
    message: "no connection to the SMSC; check SMPP_URL and how often it may bind",
  });
  const error = await gateway.send(message()).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "not_bound" });
  const printed = inspect([logged, error], { depth: null, showHidden: true });
  for (const secret of [smsc.password, "wrong-pw"]) expect(printed).not.toContain(secret);
});

test("over TLS, an SMSC with an untrusted certificate does not get the password", async () => {
  const front = await startTlsFront(smsc.port);
  closing.push(front.stop);
  const url = smsc.url.replace("smpp:", "smpps:").replace(/@.*/, `@localhost:${front.port}`);
  const { gateway, logged } = connect({ url, timing: TIMING });
  const lines = await until(
    async () => logged.map(({ fields }) => fields),
    ({ length }) => length > 1,
  );
  expect(lines).toContainEqual({ provider: "smpp", code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  await expect(gateway.send(message())).rejects.toMatchObject({ code: "not_bound" });
  expect(front.received()).toBe(0);
});

test("neither log nor errors hold a number, a text or the password", async () => {
  const { gateway, bound, logged } = connect();
  await bound();
  const errors: unknown[] = [];
  for (const treatment of [treat.refused, treat.throttled, "01"])
    await gateway
      .send(message(numberFor(treatment), "4711523 is secret"))
      .catch((error: unknown) => void errors.push(error));
  const printed = inspect([logged, errors], { depth: null, showHidden: true });
  for (const secret of ["4711523", "1202555", smsc.password]) expect(printed).not.toContain(secret);
  expect(errors).toHaveLength(2);
});

/** A TCP proxy to the SMSC that can go silent. */
async function startWire(target: number) {
  let frozen = false;
  const server = createServer((near) => {
    const far = createConnection(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (octets) => void (frozen || to.write(octets)));
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    freeze() {
      frozen = true;
    },
    thaw() {
      frozen = false;
    },
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
