import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { limit } from "../support/limits.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";

const run = promisify(execFile);
const STEP_MS = 30_000;

let stack: Stack;
beforeAll(async () => {
  await ensureDebianPackage("oathtool", "oathtool", () => {});
  await ensureDebianPackage("zbarimg", "zbar-tools", () => {});
  stack = await startStack();
}, limit(300_000));
afterAll(() => stack.stop());

/** The code of an independent implementation (oathtool) at the service's time. */
async function codeOf(secret: string, ms = stack.clock.now()) {
  const at = new Date(ms).toISOString().replace("T", " ").slice(0, 19);
  const { stdout } = await run("oathtool", ["--totp", "--base32", `--now=${at} UTC`, secret]);
  return stdout.trim();
}

async function addApp(token: string, name = "App") {
  return stack.api.call<OtpSetup>("POST", "/v1/me/devices/otp", { token, body: { name } });
}

/** A user with one verified app. The clock is one TOTP step on, so a new code can be used. */
async function withApp() {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { secret, device } = (await addApp(token)).body;
  const code = await codeOf(secret);
  await stack.api.verifyDevice(token, device.id, code);
  return { user, secret, device, code };
}

test("a code that enrolled an app or logged in does not log in again", async () => {
  const { user, secret, code } = await withApp();
  const { id } = await startChallenge(stack, user);
  expect((await stack.api.verifyPasscode(id, code)).problem.code).toBe("passcode_already_used");
  await stack.advance(STEP_MS);
  const next = await codeOf(secret);
  const challenges = await Promise.all(
    Array.from({ length: 5 }, () => startChallenge(stack, user)),
  );
  const answers = await Promise.all(
    challenges.map((challenge) => stack.api.verifyPasscode(challenge.id, next)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

test("codes of the step before and after log in, others do not; no SMS is sent", async () => {
  for (const [steps, status] of [
    [-2, 422],
    [-1, 200],
    [1, 200],
    [2, 422],
  ] as const) {
    const { user, secret } = await withApp();
    await stack.advance(10 * STEP_MS);
    const { id, method, next } = await startChallenge(stack, user);
    expect({ method, next }).toEqual({ method: "otp", next: ["verify"] });
    expect((await stack.api.resendPasscode(id)).problem.code).toBe("illegal_transition");
    const code = await codeOf(secret, stack.clock.now() + steps * STEP_MS);
    expect((await stack.api.verifyPasscode(id, code)).status, `${steps} steps`).toBe(status);
  }
});

test("another program reads exactly the URI from the QR code", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { qrCode, otpauthUri, secret } = (await addApp(token)).body;
  const folder = await mkdtemp(join(tmpdir(), "barcode-"));
  try {
    const file = join(folder, "code.png");
    await writeFile(file, Buffer.from(qrCode.split(",")[1] as string, "base64"));
    const { stdout } = await run("zbarimg", ["--quiet", "--raw", file]);
    expect(stdout.trim()).toBe(otpauthUri);
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(otpauthUri).toContain(`secret=${secret}&issuer=Second%20Step&`);
  expect((await stack.api.multiFactor(token)).text).not.toContain(secret);
});

describe("the entry in the authenticator app", () => {
  /** The label that an app reads from the QR code. */
  async function labelOf(name: string) {
    const user = await stack.createUser();
    const { token } = await logInByPassword(stack, user);
    const { otpauthUri } = (await addApp(token, name)).body;
    return {
      label: decodeURIComponent(new URL(otpauthUri).pathname.slice(1)),
      user,
    };
  }

  test("has the device's nickname, so that two devices can be told apart", async () => {
    const { label, user } = await labelOf("My phone");
    expect(label).toBe(`Second Step:${user.username} (My phone)`);
  });

  test("is not cut in two by a colon in the nickname", async () => {
    const { label, user } = await labelOf("Work: iPhone");
    expect(label).toBe(`Second Step:${user.username} (Work  iPhone)`);
  });
});

test("an app that is not made the default leaves its owner logged in, with a second factor", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const { secret, device } = (await addApp(token)).body;
  const code = await codeOf(secret);
  const spaced = `${code.slice(0, 3)} ${code.slice(3)}`;
  const body = { code: spaced, makeDefault: false };
  const verified = await stack.api.call<{ signedOut: boolean }>(
    "POST",
    `/v1/me/devices/${device.id}/verify`,
    { token, body },
  );
  expect(verified.body.signedOut).toBe(false);
  expect((await stack.api.session(token)).body.amr).toEqual(["pwd", "otp", "mfa"]);
  expect((await stack.api.multiFactor(token)).body.defaultMethod).toBe("otp");
});

test("five apps are the maximum, also if ten are added at once", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => addApp(token, `App ${n}`)),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  expect(answers.find(({ status }) => status !== 201)?.problem.code).toBe("too_many_devices");
});

test("a recovery code logs in once, however it is typed, and the answer says how many are left", async () => {
  const { user, secret } = await withApp();
  await stack.advance(10 * STEP_MS);
  const { id } = await startChallenge(stack, user);
  const { session } = (await stack.api.verifyPasscode(id, await codeOf(secret))).body;
  const call = { token: session.token, body: { quantity: 2 } };
  const { codes } = (
    await stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", call)
  ).body;
  const typed = (codes[0] as string).toLowerCase().replaceAll("-", " ");
  const challenges = await Promise.all([1, 2, 3].map(() => startChallenge(stack, user)));
  const answers = await Promise.all(
    challenges.map((challenge) => stack.api.verifyPasscode(challenge.id, typed)),
  );
  const [won, ...more] = answers.filter(({ status }) => status === 200);
  expect(more).toEqual([]);
  expect(won?.body).toMatchObject({
    session: { amr: ["pwd", "recovery_code", "mfa"] },
    recoveryCodesRemaining: 1,
  });
});

test("removing the last app turns multi-factor authentication off and ends the open logins", async () => {
  const { user, secret, device } = await withApp();
  await stack.advance(10 * STEP_MS);
  const { id } = await startChallenge(stack, user);
  const { session } = (await stack.api.verifyPasscode(id, await codeOf(secret))).body;
  const waiting = await startChallenge(stack, user);
  const { token } = session;
  expect((await stack.api.call("DELETE", `/v1/me/devices/${device.id}`, { token })).status).toBe(
    204,
  );
  await stack.advance(STEP_MS);
  const late = await stack.api.verifyPasscode(waiting.id, await codeOf(secret));
  expect(late.problem.code).toBe("challenge_expired");
  expect((await stack.api.multiFactor(token)).body).toMatchObject({ enabled: false, devices: [] });
  expect((await logInByPassword(stack, user)).amr).toEqual(["pwd"]);
});

test("bad nicknames are refused at their field; emoji are accepted", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  for (const name of ["", " ", "x".repeat(200), "a\u0007b", 7, null]) {
    const answer = await stack.api.call("POST", "/v1/me/devices/otp", { token, body: { name } });
    expect(answer.problem).toMatchObject({ code: "invalid_request", errors: [{ path: "name" }] });
  }
  expect((await addApp(token, "📱 Zoë’s phone")).status).toBe(201);
});
