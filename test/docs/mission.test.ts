import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "docs/mission.md"), "utf8");

/** The portal's source as one line, so that a label broken over two lines is found. */
const portal = readdirSync(join(root, "portal"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => readFileSync(join(root, "portal", name), "utf8"))
  .join("\n")
  .replace(/\s+/g, " ");

/** Whether the portal's source has the path as a string, as links and forms do. */
const quoted = (path: string) => [`"${path}"`, `\`${path}\``].some((text) => portal.includes(text));

/** Whether a page has exactly this text as a heading, a label, a link or a button. */
function isLabel(text: string): boolean {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`[>"}] ?${literal}:? ?[<"{]`).test(portal);
}

const rows = text
  .split("\n")
  .filter((line) => /^\| (?!the original|-)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, original = "", here = "", shown = ""]) => ({ original, here, shown }));

const named = (pattern: RegExp, within: string) => [
  ...new Set([...within.matchAll(pattern)].map(([, name = ""]) => name)),
];

test("every sentence has a page or a rule with its test, or a reason why not", () => {
  expect(rows.length).toBeGreaterThan(45);
  for (const { original, here, shown } of rows) {
    expect(here, original).not.toBe("");
    if (!here.startsWith("Not here")) expect(shown, original).toMatch(/^`test\//);
  }
});

test("every named test exists", () => {
  const tests = named(/`(test\/[^`]+)`/g, text);
  expect(tests.length).toBeGreaterThan(15);
  expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test("every named page is a route of the portal", () => {
  const pages = named(/`(\/(?:login|set-up|devices|account)[^`]*)`/g, text);
  expect(pages.length).toBeGreaterThan(12);
  expect(pages.filter((path) => !quoted(path))).toEqual([]);
});

test("a part of a label is not a label", () => {
  const parts = [
    "Ad",
    "Mobile",
    "Mobile Passcode",
    "Device",
    "Remove all",
    "Verify Mobile",
    "User",
  ];
  expect(parts.filter(isLabel)).toEqual([]);
});

test("every named label is on a page", () => {
  const labels = rows
    .filter(({ here }) => !here.startsWith("Not here"))
    .flatMap(({ original, here }) => named(/\*\*([^*]+)\*\*/g, original + here));
  expect(labels.length).toBeGreaterThan(20);
  expect([...new Set(labels)].filter((label) => !isLabel(label))).toEqual([]);
});
