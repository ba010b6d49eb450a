import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { hashPassword, TooManyPasswords, verifyPassword } from "../../store/passwords.ts";

test("an unknown user's password costs as much as a wrong one and is never right", async () => {
  const cost = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;
  expect(await hashPassword("correct horse")).toMatch(cost);
  expect(await verifyPassword(undefined, "")).toBe(false);
  expect(await verifyPassword(undefined, "x")).toBe(false);
});

test("verifies only the password that was hashed", async () => {
  const hash = await hashPassword("correct horse");
  expect(await verifyPassword(hash, "correct horse")).toBe(true);
  expect(await verifyPassword(hash, "correct horsf")).toBe(false);
  expect(await verifyPassword(hash, "")).toBe(false);
  expect(await hashPassword("correct horse")).not.toBe(hash);
});

test("a password typed with other code points of the same text is the same password", async () => {
  const hash = await hashPassword("cafe\u0301 \u2460");
  expect(await verifyPassword(hash, "caf\u00e9 \u2460")).toBe(true);
  // The same letter in another Unicode composition is another password: nothing is simplified.
  expect(await verifyPassword(hash, "caf\u00e9 1")).toBe(false);
});

test("if more passwords come than can be checked in time, the last are refused at once, unchecked", async () => {
  const atOnce = 2 * (64 + availableParallelism());
  const outcomes = await Promise.allSettled(
    Array.from({ length: atOnce }, () => verifyPassword(undefined, "x")),
  );
  const refused = outcomes.filter(({ status }) => status === "rejected");
  expect(refused).not.toEqual([]);
  for (const one of refused) expect(one).toMatchObject({ reason: expect.any(TooManyPasswords) });
  expect(atOnce - refused.length).toBeGreaterThanOrEqual(64);
  expect(await verifyPassword(undefined, "x")).toBe(false);
});
