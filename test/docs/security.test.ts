import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "docs/security.md"), "utf8");

/** The number of requirements in each section of ASVS 5.0.0, chapters V6 and V7. */
const SECTIONS: Record<string, number> = {
  ...{ "6.1": 3, "6.2": 12, "6.3": 8, "6.4": 6, "6.5": 8, "6.6": 4, "6.7": 2, "6.8": 4 },
  ...{ "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2 },
};

const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));
/** The rows of ASVS only: `| id | level | ...`. */
const asvs = rows.filter(
  ([, id = "", level = ""]) => /^\d\.\d\.\d+$/.test(id) && /^[123]$/.test(level),
);
const nist = rows.filter(
  ([, section = "", level = ""]) => /^\d\.\d/.test(section) && !/^[123]$/.test(level),
);

test("every named test exists", () => {
  const named = [...new Set(text.match(/\btest\/[\w./-]+\.tsx?/g))];
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test("every linked document exists", () => {
  const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link as string);
  expect(links.filter((link) => !existsSync(join(root, "docs", link)))).toEqual([]);
});

test("each requirement of ASVS V6 and V7 is assessed once", () => {
  const wanted = Object.entries(SECTIONS).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, n) => `${section}.${n + 1}`),
  );
  expect(asvs.map(([, id]) => id)).toEqual(wanted);
});

test("each verdict is one of four, and has its evidence or its reason", () => {
  const assessed = [
    ...asvs.map((row) => ({ id: row[1], verdict: row[4], why: row[5], shown: row[6] })),
    ...nist.map((row) => ({ id: row[1], verdict: row[3], why: row[4], shown: row[5] })),
  ];
  expect(assessed.length).toBeGreaterThan(100);
  for (const { id, verdict, why, shown } of assessed) {
    expect(["met", "in part", "not met", "not applicable"], id).toContain(verdict);
    expect(`${why}${shown}`, id).not.toBe("");
  }
});
