import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { hashCode, newNumericCode } from "../../store/codes.ts";

const key = randomBytes(32);

test("a code hashed for one purpose does not match for another", () => {
  expect(hashCode(key, "pin", "device", "1234")).toBe(hashCode(key, "pin", "device", "1234"));
  const hashes = [
    hashCode(key, "pin", "device", "1234"),
    hashCode(key, "passcode", "device", "1234"),
    hashCode(key, "pin", "device1", "234"),
    hashCode(key, "pin", "devic", "e1234"),
    hashCode(key, "pin", "device", "", "1234"),
    hashCode(key, "pindevice1234"),
    hashCode(randomBytes(32), "pin", "device", "1234"),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
});

test("numeric codes keep leading zeros, and every code can occur", () => {
  const codes = new Set(Array.from({ length: 3_000 }, () => newNumericCode(2)));
  expect(codes.size).toBe(100);
  expect([...codes].every((code) => /^\d\d$/.test(code))).toBe(true);
  expect(newNumericCode(7)).toMatch(/^\d{7}$/);
});
