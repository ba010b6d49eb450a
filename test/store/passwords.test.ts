import { expect, test } from "vitest";
import { hashPassword, verifyPassword } from "../../store/passwords.ts";

test("an unknown user's password costs as much as a wrong one and is never right", async () => {
  const cost = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;
  expect(await hashPassword("correct horse")).toMatch(cost);
  expect(await verifyPassword(undefined, "")).toBe(false);
  expect(await verifyPassword(undefined, "x")).toBe(false);
});

test("verifies the password that was hashed and no other", async () => {
  const hash = await hashPassword("correct horse");
  expect(await verifyPassword(hash, "correct horse")).toBe(true);
  expect(await verifyPassword(hash, "correct horsf")).toBe(false);
  expect(await verifyPassword(hash, "")).toBe(false);
  expect(await hashPassword("correct horse")).not.toBe(hash);
});

test("a password typed as other code points of the same text is the same password", async () => {
  const hash = await hashPassword("cafe\u0301 \u2460");
  expect(await verifyPassword(hash, "caf\u00e9 \u2460")).toBe(true);
  // What merely looks alike is another character: nothing of a password is made simpler.
  expect(await verifyPassword(hash, "caf\u00e9 1")).toBe(false);
});
