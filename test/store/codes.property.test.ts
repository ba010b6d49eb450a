import fc from "fast-check";
import { expect, test } from "vitest";
import { hashCode, newNumericCode } from "../../store/codes.ts";
import { newRecoveryCodes, normalizeRecoveryCode } from "../../store/recovery-codes.ts";

const CODE_KEY = [{ id: "", key: Buffer.alloc(32, 7) }];
const parts = fc.array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 4 });
const separators = fc.array(fc.constantFrom("", " ", "-", ".", "\u2013", "\u00a0", "\n"), {
  minLength: 17,
  maxLength: 17,
});

test("a code has the number of digits that was asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 14 }), (digits) => {
      expect(newNumericCode(digits)).toMatch(new RegExp(`^\\d{${digits}}$`));
    }),
  );
});

test("equal parts give the same hash; other parts or another key never do", () => {
  fc.assert(
    fc.property(parts, parts, (some, others) => {
      const hash = hashCode(CODE_KEY, ...some);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      const same = JSON.stringify(some) === JSON.stringify(others);
      expect(hash === hashCode(CODE_KEY, ...others)).toBe(same);
      expect(hashCode([{ id: "", key: Buffer.alloc(32, 8) }], ...some)).not.toBe(hash);
    }),
  );
});

test("a recovery code is read however it is written", () => {
  fc.assert(
    fc.property(separators, fc.boolean(), fc.boolean(), (between, lower, letters) => {
      const [code = ""] = newRecoveryCodes(1);
      const canonical = code.replaceAll("-", "");
      const spoken = letters ? canonical.replaceAll("0", "O").replaceAll("1", "l") : canonical;
      const typed = [...spoken].map((letter, at) => `${between[at]}${letter}`).join("");
      expect(normalizeRecoveryCode(lower ? typed.toLowerCase() : typed)).toBe(canonical);
    }),
  );
});

test("typed text has no normal form, or a stable one", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (typed) => {
      const form = normalizeRecoveryCode(typed);
      if (form !== undefined) expect(form).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
      expect(form === undefined ? undefined : normalizeRecoveryCode(form)).toBe(form);
    }),
  );
});
