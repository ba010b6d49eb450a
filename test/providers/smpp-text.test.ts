import { expect, test } from "vitest";
import { smppText } from "../../providers/sms/smpp-text.ts";

const HEADER = 6;
/** Joins the text of the parts, as a phone does. */
const octetsOf = (parts: Buffer[]) => Buffer.concat(parts.map((part) => part.subarray(HEADER)));
const utf16 = (octets: Buffer) => Buffer.from(octets).swap16().toString("utf16le");

test("text in GSM's alphabet is sent in it; each extension character counts as two", () => {
  const { coding, concatenated, parts } = smppText("1234 @é_ [€]", 1);
  expect({ coding, concatenated }).toEqual({ coding: 0, concatenated: false });
  // GSM 03.38: @ 00, é 05, _ 11; the extension's [ ] € after an escape.
  expect(parts.map((part) => part.toString("hex"))).toEqual(["3132333420000511201b3c1b651b3e"]);
});

test("other text is sent in UCS-2", () => {
  const { coding, parts } = smppText("Код 12", 1);
  expect(coding).toBe(8);
  expect(parts.map((part) => part.toString("hex"))).toEqual(["041a043e0434002000310032"]);
});

test.each([
  ["GSM", "a", 160, 1],
  ["GSM", "a", 161, 2],
  ["GSM", "a", 306, 2],
  ["GSM", "a", 307, 3],
  ["UCS-2", "я", 70, 1],
  ["UCS-2", "я", 71, 2],
  ["UCS-2", "я", 134, 2],
  ["UCS-2", "я", 135, 3],
])("%s: %s repeated %i times is %i messages", (_name, character, times, count) => {
  const { parts, concatenated } = smppText(character.repeat(times), 1);
  expect(parts).toHaveLength(count);
  expect(concatenated).toBe(count > 1);
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(count > 1 ? 159 : 160);
});

test("parts say which message they are of, how many there are and which one they are", () => {
  const { parts } = smppText("a".repeat(400), 0x1ff);
  expect(parts.map((part) => part.subarray(0, HEADER).toString("hex"))).toEqual([
    "050003ff0301",
    "050003ff0302",
    "050003ff0303",
  ]);
});

test("no character is split between two parts", () => {
  const euros = `${"a".repeat(152)}€${"b".repeat(20)}`;
  const { parts } = smppText(euros, 1);
  expect(parts.map((part) => part.length - HEADER)).toEqual([152, 22]);
  expect(octetsOf(parts).toString("latin1")).toBe(`${"a".repeat(152)}\x1be${"b".repeat(20)}`);

  const faces = `${"я".repeat(66)}😀${"я".repeat(10)}`;
  const split = smppText(faces, 1);
  expect(split.parts.map((part) => part.length - HEADER)).toEqual([132, 24]);
  expect(utf16(octetsOf(split.parts))).toBe(faces);
});
