import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrollPhone, logInBySms } from "./scenarios.ts";
import { type Stack, startStack } from "./stack.ts";

describe.each([
  { database: "postgres", time: "real" },
  { database: "pglite", time: "skipping" },
] as const)("the stack on $database in $time time", (options) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack(options);
  });
  afterAll(() => stack.stop());

  test("a phone is verified, and the next login takes its passcode", async () => {
    const user = await stack.createUser();
    const phone = await enrollPhone(stack, user);
    const session = await logInBySms(stack, user, phone.e164);
    expect(session).toMatchObject({ scope: "full", amr: ["pwd", "sms", "mfa"] });
    const { user: me } = (await stack.api.session(session.token)).body;
    expect(me).toMatchObject({ id: user.id, username: user.username });
  });
});
