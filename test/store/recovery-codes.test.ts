import { expect, test } from "vitest";
import { newRecoveryCodes, normalizeRecoveryCode } from "../../store/recovery-codes.ts";

const codes = newRecoveryCodes(2_000);

test("codes hold 80 random bits in groups, without look-alike letters", () => {
  expect(new Set(codes).size).toBe(codes.length);
  const group = "[0-9A-HJKMNP-TV-Z]{4}";
  const shape = new RegExp(`^${group}-${group}-${group}-${group}$`);
  expect(codes.every((code) => shape.test(code))).toBe(true);
  const letters = new Set(codes.join("").replaceAll("-", ""));
  expect(letters.size).toBe(32);
});

test("every way to type a code gives that code", () => {
  for (const code of codes) {
    const canonical = code.replaceAll("-", "");
    const typed = [
      code,
      canonical,
      code.toLowerCase(),
      ` ${code.replaceAll("-", "  ")}\n`,
      code.replaceAll("-", "\u2013"),
      [...canonical].join("."),
      code.replaceAll("0", "o").replaceAll("1", "l"),
      code.replaceAll("0", "O").replaceAll("1", "I"),
      // Full-width characters, as an East Asian keyboard types them.
      canonical.replace(/./g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
      // Pasted from a right-to-left page, with the digits of an Arabic keyboard.
      `\u202b${canonical.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))}\u202c`,
      `\ufeff${canonical.replace(/.{4}(?=.)/g, "$&\u2011\u200b")}`,
    ];
    for (const text of typed) {
      expect(normalizeRecoveryCode(text)).toBe(canonical);
    }
  }
});

test("two different codes never become the same", () => {
  expect(new Set(codes.map(normalizeRecoveryCode)).size).toBe(codes.length);
});

test.each([
  "",
  "123456",
  "1234567",
  "0000-0000-0000-000",
  "0000-0000-0000-00000",
  "0000-0000-0000-000U",
  "0000-0000-0000-000\u00e9",
  "0000+0000+0000+0000",
  "\u{1f511}".repeat(16),
])("%j cannot be a recovery code", (text) => {
  expect(normalizeRecoveryCode(text)).toBeUndefined();
});
