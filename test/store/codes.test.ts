import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { hashCode, hashesOf, hashToKeep, keptHashesOf, newNumericCode } from "../../store/codes.ts";

const newKey = (id = "") => [{ id, key: randomBytes(32) }];
const key = newKey();

test("a code hashed for one purpose does not match for another", () => {
  expect(hashCode(key, "pin", "device", "1234")).toBe(hashCode(key, "pin", "device", "1234"));
  const hashes = [
    hashCode(key, "pin", "device", "1234"),
    hashCode(key, "passcode", "device", "1234"),
    hashCode(key, "pin", "device1", "234"),
    hashCode(key, "pin", "devic", "e1234"),
    hashCode(key, "pin", "device", "", "1234"),
    hashCode(key, "pindevice1234"),
    hashCode(newKey(), "pin", "device", "1234"),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(hashes.every((hash) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);
});

test("what an older key has hashed is found by its hash, whether the key had an id then or not", () => {
  const [old, fresh] = [newKey("old"), newKey("new")];
  const code = ["recovery", "user", "CODE"];
  const unnamed = [{ id: "", key: old[0]?.key ?? randomBytes(32) }];
  const both = [...fresh, ...old];
  expect(hashToKeep(unnamed, ...code)).toBe(hashCode(old, ...code));
  expect(hashToKeep(both, ...code)).toBe(`new:${hashCode(fresh, ...code)}`);
  for (const before of [unnamed, old, fresh, both])
    expect(keptHashesOf(both, ...code)).toContain(hashToKeep(before, ...code));
  for (const before of [unnamed, old])
    expect(keptHashesOf(fresh, ...code)).not.toContain(hashToKeep(before, ...code));
  expect(hashesOf(both, ...code)).toEqual([hashCode(fresh, ...code), hashCode(old, ...code)]);
});

test("numeric codes keep leading zeros, and every code can occur", () => {
  const codes = new Set(Array.from({ length: 3_000 }, () => newNumericCode(2)));
  expect(codes.size).toBe(100);
  expect([...codes].every((code) => /^\d\d$/.test(code))).toBe(true);
  expect(newNumericCode(7)).toMatch(/^\d{7}$/);
});
