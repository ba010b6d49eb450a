import { expect, test } from "vitest";
import { passcodeText, pinText } from "../../activities/sms-texts.ts";

const code = { code: "0123456", lifetimeMs: 600_000 };
const pin = { code: "0123", lifetimeMs: 600_000 };
const sender = { SERVICE_NAME: "Second Step", PUBLIC_URL: undefined };
const bound = { ...sender, PUBLIC_URL: "https://Login.Example.com:8443/somewhere" };

/** The ASCII characters of GSM 03.38's default alphabet, one septet each. */
const GSM_7 = /^[\n\r !"#$%&'()*+,\-./0-9:;<=>?@A-Z_a-z]*$/;
const SEGMENT = 160;

test("a text begins with its code, names the service and says how long the code is valid", () => {
  expect(passcodeText(sender, code)).toBe(
    "0123456 is your Second Step passcode. Never share it. It expires in 10 minutes.",
  );
  expect(pinText(sender, pin)).toBe(
    "0123 is your Second Step PIN to verify this phone. It expires in 10 minutes.",
  );
  expect(passcodeText(sender, { ...code, lifetimeMs: 60_000 })).toContain("in 1 minute.");
});

// WICG, Origin-bound one-time codes delivered via SMS, section 2.2.
test.each([
  ["passcode", passcodeText, code],
  ["PIN", pinText, pin],
] as const)(
  "with a public address the %s ends with the line that binds it to our host",
  (...row) => {
    const [, text, given] = row;
    const lines = text(bound, given).split("\n");
    expect(lines.at(-1)).toBe(`@login.example.com #${given.code}`);
    expect(lines.slice(0, -1).join("\n")).toBe(text(sender, given));
    expect(lines).toHaveLength(2);
  },
);

test("each text fits into one GSM-7 segment, also with the longest name", () => {
  const longest = { ...bound, SERVICE_NAME: "x".repeat(30) };
  for (const text of [passcodeText(longest, code), pinText(longest, pin)]) {
    expect(text).toMatch(GSM_7);
    expect(text.length).toBeLessThanOrEqual(SEGMENT);
  }
});
