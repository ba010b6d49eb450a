import fc from "fast-check";
import { getCountries, getExampleNumber } from "libphonenumber-js/max";
import examples from "libphonenumber-js/mobile/examples";
import { expect, test } from "vitest";
import { parsePhoneNumber } from "../../api/phone-numbers.ts";
import { Problem } from "../../api/problem.ts";
import { readDigits } from "../../api/typed.ts";

const country = fc.constantFrom(...getCountries());
const digits = fc.stringMatching(/^\d{1,12}$/);

test("digits are read with whatever stands between them, in any script's full width", () => {
  const between = fc.constantFrom("", " ", "-", "\u2003", "\t");
  fc.assert(
    fc.property(digits, between, fc.boolean(), (code, separator, wide) => {
      const typed = [...code]
        .map((digit) => (wide ? String.fromCharCode(digit.charCodeAt(0) + 0xfee0) : digit))
        .join(separator);
      expect(readDigits(typed)).toBe(code);
    }),
  );
});

test("whatever is typed is digits, or nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (typed) => {
      const read = readDigits(typed);
      if (read !== undefined) expect(read).toMatch(/^[0-9]+$/);
      if (/[a-z]/i.test(typed)) expect(read).toBeUndefined();
    }),
  );
});

test("whatever is typed for a phone is a number in one form, or is refused with a reason", () => {
  const typed = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.stringMatching(/^\+?[\d ().\-/]{0,30}$/),
  );
  fc.assert(
    fc.property(fc.oneof(country, fc.string({ maxLength: 4 })), typed, (countryCode, text) => {
      const read = () => parsePhoneNumber(countryCode, text);
      try {
        expect(read()).toMatch(/^\+[1-9]\d{6,14}$/);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
        expect(error).toMatchObject({
          code: "invalid_phone_number",
          extra: { members: { reason: expect.stringMatching(/^[a-z_]+$/) } },
        });
      }
    }),
  );
});

test("each country's mobile number is read in national and international form, and stays as it is", () => {
  fc.assert(
    fc.property(country, (countryCode) => {
      const example = getExampleNumber(countryCode, examples);
      if (!example || !["MOBILE", "FIXED_LINE_OR_MOBILE"].includes(example.getType() ?? "")) return;
      for (const typed of [example.formatNational(), example.formatInternational(), example.number])
        expect(parsePhoneNumber(countryCode, typed), typed).toBe(example.number);
    }),
    { numRuns: 400 },
  );
});
