import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OLD_LABELS, OLD_SENTENCES } from "./old-words.ts";

const root = join(import.meta.dirname, "../..");

/** The files with texts for people. */
const FILES = [
  ...["portal", "api", "core", "scripts/cli"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(folder, name)),
  ),
  "store/notice-mail.ts",
  "store/notices.ts",
  "store/events/event-types.ts",
];

/** Each file's code as one line without comments, with strings joined over `+`. */
const texts = FILES.map((file) => ({
  file,
  text: readFileSync(join(root, file), "utf8")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/(^|\s)\/\/.*$/gm, "")
    .replace(/["`] \+\s+["`]/g, "")
    .replace(/\s+/g, " "),
}));

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const found = (old: RegExp) => texts.filter(({ text }) => old.test(text)).map(({ file }) => file);

test("no page, refusal, mail or command uses one of the old sentences", () => {
  expect(texts.length).toBeGreaterThan(100);
  for (const old of OLD_SENTENCES) expect(found(new RegExp(literal(old), "i")), old).toEqual([]);
});

test("no label or title is one of the old ones", () => {
  for (const old of OLD_LABELS)
    expect(found(new RegExp(`[>"\`] ?${literal(old)} ?[<"\`]`)), old).toEqual([]);
});

test("today's texts are found, also over two lines", () => {
  expect(found(/These devices are logged in\. If you don't recognise one, end it/)).not.toEqual([]);
  expect(found(/"Enter all 16 characters of the code\."/)).toEqual(["portal/login/passcode.tsx"]);
  expect(found(/[>"`] ?This device ?[<"`]/)).not.toEqual([]);
});
