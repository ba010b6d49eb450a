import fc from "fast-check";
import { getCountries, getExampleNumber } from "libphonenumber-js/max";
import examples from "libphonenumber-js/mobile/examples";
import { expect, test } from "vitest";
import { parsePhoneNumber } from "../../../core/devices/phone-numbers.ts";
import { Problem } from "../../../core/problem.ts";
import { plainText, readDigits } from "../../../store/typed-text.ts";

const country = fc.constantFrom(...getCountries());
const digits = fc.stringMatching(/^\d{1,12}$/);

/** Every character that matches the pattern. */
const charactersOf = (kind: RegExp) =>
  Array.from({ length: 0x11_0000 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code))
    .filter((character) => kind.test(character));

/** The digits of every script, each from zero to nine. */
const allDigits = charactersOf(/\p{Nd}/u);
const scripts = Array.from({ length: allDigits.length / 10 }, (_, script) =>
  allDigits.slice(script * 10, script * 10 + 10),
);
const dashes = [...charactersOf(/\p{Pd}/u), "\u2212", "\u30fc"];
const spaces = [...charactersOf(/\p{Z}/u), "\t", "\n"];
const unseen = charactersOf(/\p{Cf}/u);
const between = fc
  .array(fc.constantFrom("", ...dashes, ...spaces, ...unseen), { maxLength: 3 })
  .map((all) => all.join(""));

test("Unicode has the digits of more than sixty scripts", () => {
  expect(scripts.length).toBeGreaterThan(60);
  for (const [zero = "", , , , , , , , , nine = ""] of scripts) {
    expect(readDigits(zero)).toBe("0");
    expect(readDigits(nine)).toBe("9");
  }
});

test("a code is the same in the digits of any script, with dashes, spaces and invisible characters anywhere", () => {
  fc.assert(
    fc.property(digits, fc.constantFrom(...scripts), fc.array(between), (code, script, gaps) => {
      const typed = [...code]
        .map((digit, at) => `${gaps[at] ?? ""}${script[Number(digit)]}`)
        .concat(gaps.at(-1) ?? "")
        .join("");
      expect(readDigits(typed), JSON.stringify(typed)).toBe(code);
      expect(plainText(plainText(typed))).toBe(plainText(typed));
    }),
  );
});

test("a mobile number is the same in the digits of any script, with invisible characters anywhere", () => {
  fc.assert(
    fc.property(fc.constantFrom(...scripts), between, (script, gap) => {
      const typed = [..."+14155550132"]
        .map((digit) => script[Number(digit)] ?? digit)
        .join(gap.trim() === "" ? gap : "");
      expect(parsePhoneNumber("US", typed), JSON.stringify(typed)).toBe("+14155550132");
    }),
  );
});

test("typed text is read as digits, or not at all", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (typed) => {
      const read = readDigits(typed);
      if (read !== undefined) expect(read).toMatch(/^[0-9]+$/);
      if (/[a-z]/i.test(typed)) expect(read).toBeUndefined();
    }),
  );
});

test("a typed phone number has one normal form, or is refused with a reason", () => {
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

test("each country's mobile number is read in national and international form, and its normal form is stable", () => {
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
