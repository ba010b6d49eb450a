import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../config.ts";
import { requireStrong } from "../../../core/users/password-rule.ts";
import { environmentOf } from "../../support/stack.ts";

const nowhere = { address: "127.0.0.1:1", namespace: "none" };
const { limits } = loadConfig(environmentOf("postgres://x", "redis://x", nowhere));

const refusal = (password: string, username = "alice") => {
  try {
    requireStrong(limits, password, username);
  } catch (error) {
    return String(error);
  }
};

describe("attack: a password that is on every attacker's list", () => {
  test.each(["password", "Password1", "12345678", "QWERTYUIOP", "iloveyou1", "letmein1"])(
    "%s is refused, with the reason",
    (password) => expect(refusal(password)).toContain("too common"),
  );

  test("so are the user name, a short password, and one that is longer than is hashed", () => {
    expect(refusal("Alice-Liddell", "alice-liddell")).toContain("user name");
    expect(refusal("AliceAliceAlice", "alice")).toContain("user name");
    expect(refusal("alice and alice", "alice")).toBeUndefined();
    expect(refusal("x9!Q_b7")).toContain("8 characters");
    expect(refusal("x".repeat(257))).toContain("at most 256");
  });
});

test.each([
  "correct horse battery",
  "vqzt kmwp",
  "пароль не из списка",
  "💥💥💥💥💥💥💥💥",
  "x".repeat(256),
])("%s is accepted: no rule asks for certain characters", (password) =>
  expect(refusal(password)).toBeUndefined(),
);
