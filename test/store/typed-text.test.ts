import { expect, test } from "vitest";
import { plainText, readDigits } from "../../store/typed-text.ts";

test.each([
  ["every dash becomes a hyphen", "415\u2011555\u20130132", "415-555-0132"],
  ["every space becomes a blank", "a\u202fb\u00a0c", "a b c"],
  ["spaces around it go", "\u3000 ab ", "ab"],
  ["full-width letters become plain", "\uff21\uff22", "AB"],
  ["invisible characters go", "\u202da\u200bb\u202c", "ab"],
])("%s", (_, typed, plain) => {
  expect(plainText(typed)).toBe(plain);
});

test("digits are read between dashes and spaces, and nothing else is taken for them", () => {
  expect(readDigits(" 123-45 67 ")).toBe("1234567");
  for (const typed of ["12a", "a12", "1.2", "", " - "])
    expect(readDigits(typed), typed).toBeUndefined();
});
