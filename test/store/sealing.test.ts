import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { seal, sealedWith, unseal } from "../../store/sealing.ts";

const first = { id: "2025", key: randomBytes(32) };
const second = { id: "2026", key: randomBytes(32) };

test("text that was changed, cut or moved to another record does not open", () => {
  const sealed = seal([first], "JBSWY3DPEHPK3PXP", "device-1");
  expect(() => unseal([first], sealed, "device-2")).toThrow();
  for (let at = 0; at < sealed.length; at++) {
    // Skips the last character: unpadded base64 has unused bits there, so a change may not matter.
    if (at === sealed.length - 1) continue;
    const other = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
    expect(() => unseal([first], changed, "device-1"), `letter ${at}`).toThrow();
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(() => unseal([first], sealed.slice(0, length), "device-1"), `cut ${length}`).toThrow();
  }
});

test("text around sealed text makes it no sealed text", () => {
  const sealed = seal([first], "JBSWY3DPEHPK3PXP", "device-1");
  for (const text of [`x${sealed}`, `${sealed}=`, `${sealed} `, "", "v1.2025"])
    for (const read of [() => unseal([first], text, "device-1"), () => sealedWith(text)])
      expect(read, text).toThrow("Not sealed text");
});

test("sealed text opens again, and the same text never looks the same twice", () => {
  const secret = randomBytes(20);
  const sealed = seal([first], secret, "device-1");
  expect(unseal([first], sealed, "device-1")).toEqual(secret);
  expect(sealed).not.toContain(secret.toString("base64url"));
  expect(seal([first], secret, "device-1")).not.toBe(sealed);
  expect(unseal([first], seal([first], "", "x"), "x")).toEqual(Buffer.alloc(0));
});

test("after a rotation the new key seals, and the old one still opens until it is dropped", () => {
  const old = seal([first], "secret", "device-1");
  const rotated = [second, first];
  expect(sealedWith(old)).toBe("2025");
  expect(unseal(rotated, old, "device-1").toString()).toBe("secret");
  expect(sealedWith(seal(rotated, "secret", "device-1"))).toBe("2026");
  expect(() => unseal([second], old, "device-1")).toThrow('No sealing key "2025" in the keyring');
  expect(() => unseal([{ ...second, id: "2025" }], old, "device-1")).toThrow();
});
