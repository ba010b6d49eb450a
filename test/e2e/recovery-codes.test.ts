import { expect, test } from "vitest";
import { expectProblem } from "../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const CODE = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/;

const stack = useStack();

async function withPhone() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  const { token } = await logInBySms(stack, user, e164);
  return { user, e164, token };
}

const make = (token: string, body: unknown, headers?: Record<string, string>) =>
  stack.api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", { token, body, headers });

test("by default there are ten grouped codes without look-alike characters, and their number is shown", async () => {
  const { token } = await withPhone();
  const { codes } = (await make(token, {})).body;
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(CODE);
  expect((await stack.api.multiFactor(token)).body.recoveryCodes.remaining).toBe(10);
  expect((await make(token, undefined)).body.codes).toHaveLength(10);
  for (const quantity of [0, 11, 1.5, "3", null, -1])
    expect((await make(token, { quantity })).problem).toMatchObject({
      code: "invalid_request",
      errors: [{ path: "quantity" }],
    });
});

test("as text they are a file to save, with the date, the account and the user", async () => {
  const { user, token } = await withPhone();
  const answer = await make(token, { quantity: 3 }, { accept: "text/plain" });
  expect(answer.status).toBe(201);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="/);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  const lines = answer.text.split("\n");
  expect(lines.filter((line) => CODE.test(line))).toHaveLength(3);
  expect(lines).toContain(`User: ${user.username}`);
  expect(answer.text).toMatch(/^Account: \S+$/m);
  expect(answer.text).toContain(new Date(stack.clock.now()).toISOString());
});

test("a new set voids the old one, and a wrong code counts as a wrong passcode", async () => {
  const { user, e164, token } = await withPhone();
  const [old = ""] = (await make(token, { quantity: 2 })).body.codes;
  const [code = ""] = (await make(token, { quantity: 1 })).body.codes;
  const { id, attemptsRemaining } = await startChallenge(stack, user);
  expect((await stack.api.verifyPasscode(id, old)).problem).toMatchObject({
    code: "passcode_rejected",
    attemptsRemaining: attemptsRemaining - 1,
  });
  const last = (await stack.api.verifyPasscode(id, code)).body;
  expect(last).toMatchObject({ recoveryCodesRemaining: 0 });
  const next = await startChallenge(stack, user);
  await stack.passcodeTo(e164);
  const used = expectProblem(
    await stack.api.verifyPasscode(next.id, code),
    "passcode_already_used",
  );
  expect(used.detail).toBe("You have already used this recovery code. Use another one.");
  expect((await stack.api.challenge(next.id)).body.attemptsRemaining).toBe(7);
});

test("a login is recorded once, with its factor and its flow, however often it is sent", async () => {
  const { user, token } = await withPhone();
  const [code = ""] = (await make(token, { quantity: 1 })).body.codes;
  const { id } = await startChallenge(stack, user);
  const answers = await Promise.all(
    Array.from({ length: 3 }, () => stack.api.verifyPasscode(id, code)),
  );
  const [won] = answers.filter(({ status }) => status === 200);
  if (!won) throw new Error("No login succeeded");
  type Page = { events: { type: string; workflowId: string; detail: object }[] };
  const path = "/v1/me/activity";
  const { events } = (await stack.api.call<Page>("GET", path, { token: won.body.session.token }))
    .body;
  const workflowId = `login-challenge/${id}`;
  expect(events.filter((event) => event.workflowId === workflowId)).toMatchObject([
    { type: "login_succeeded", detail: { factor: "recovery_code" } },
    { type: "recovery_code_used" },
  ]);
});

test("text that cannot be a passcode or a code is refused at its field, and costs no attempt", async () => {
  const { user, e164 } = await withPhone();
  await startChallenge(stack, user);
  await stack.passcodeTo(e164);
  const { id } = await startChallenge(stack, user);
  for (const text of ["abc", "12345", "12345678", "12ab567", "x".repeat(65), "", "💡"])
    expect((await stack.api.verifyPasscode(id, text)).problem).toMatchObject({
      code: "invalid_request",
      errors: [{ path: "passcode" }],
    });
  expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(7);
  const passcode = await stack.passcodeTo(e164);
  const wide = wrongCode(passcode).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + +digit));
  expect((await stack.api.verifyPasscode(id, wide)).problem.code).toBe("passcode_rejected");
  const spaced = passcode.replace(/^.../, "$& ");
  expect((await stack.api.verifyPasscode(id, spaced)).status).toBe(200);
});

test("a user without a device gets no recovery codes", async () => {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  expect((await make(token, {})).problem.code).toBe("multi_factor_off");
});
