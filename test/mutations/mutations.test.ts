import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { limit } from "../support/limits.ts";
import { type Copy, copyProject } from "./harness/copy.ts";
import { judge, judgeAll } from "./harness/judge.ts";
import { mistaken } from "./harness/mistaken.ts";
import { readTables } from "./harness/tables.ts";
import { quickMutations } from "./quick.ts";

const services = {
  redisUrl: inject("redisUrl"),
  temporalAddress: inject("temporalAddress"),
  postgresUrl: inject("postgresUrl"),
  timeSkippingServerPath: inject("timeSkippingServerPath"),
  smscProgram: inject("smscProgram"),
};

const tables = await readTables();

describe.each(tables)("the mistakes of $name", ({ mutations }) => {
  test("can be made: each text to replace occurs once in its file", async () => {
    for (const mutation of mutations) {
      const text = await readFile(join(checkoutFolder, mutation.file), "utf8");
      expect(mistaken(mutation, text), mutation.mistake).not.toBe(text);
    }
  });

  test("name tests that exist", () => {
    for (const { mistake, noticedBy } of mutations) {
      expect(noticedBy.length, mistake).toBeGreaterThan(0);
      const missing = noticedBy.filter((file) => !existsSync(join(checkoutFolder, file)));
      expect(missing, mistake).toEqual([]);
    }
  });
});

test("there are at least eighty mistakes, each in its own words", () => {
  const words = tables.flatMap(({ mutations }) => mutations.map(({ mistake }) => mistake));
  expect(words.length).toBeGreaterThanOrEqual(80);
  expect(new Set(words).size).toBe(words.length);
});

describe("the short form", () => {
  const copies: Copy[] = [];
  beforeAll(async () => void copies.push(await copyProject(), await copyProject()));
  afterAll(() => Promise.all(copies.map(({ remove }) => remove())));

  test("ten mistakes, each noticed by its tests", { timeout: limit(200_000) }, async () => {
    expect(quickMutations).toHaveLength(10);
    const judged = await judgeAll(copies, quickMutations, services, () => {});
    for (const { mutation, outcome, by } of judged)
      expect(outcome, `${mutation.mistake}: ${by}`).toBe("noticed");
  });

  test("a mistake that no test notices survives", { timeout: limit(60_000) }, async () => {
    const [row] = quickMutations;
    if (!row) throw new Error("There are ten");
    const harmless = { ...row, find: "/** A uniformly random", replace: "/** An evenly random" };
    const { outcome } = await judge(copies[0] as Copy, harmless, services);
    expect(outcome).toBe("survived");
  });

  test("a row that cannot be made or run is an error, not noticed", {
    timeout: limit(60_000),
  }, async () => {
    const [row] = quickMutations;
    if (!row) throw new Error("There are ten");
    const copy = copies[0] as Copy;
    const absent = { ...row, find: "no such text" };
    expect(await judge(copy, absent, services)).toMatchObject({ outcome: "error" });
    const broken = { ...row, find: "export function newNumericCode(", replace: "export functon (" };
    expect(await judge(copy, broken, services)).toMatchObject({ outcome: "error" });
    const undefinedName = { ...row, find: "String(randomInt(", replace: "String(randomInteger(" };
    expect(await judge(copy, undefinedName, services)).toMatchObject({ outcome: "error" });
    const noFile = { ...row, noticedBy: ["test/no-such.test.ts"] };
    expect(await judge(copy, noFile, services)).toMatchObject({ outcome: "error" });
  });

  test("a test that failed only by a time limit has noticed nothing", {
    timeout: limit(60_000),
  }, async () => {
    const [row] = quickMutations;
    if (!row) throw new Error("There are ten");
    const copy = copies[0] as Copy;
    const endless =
      'import { test } from "vitest";\ntest("waits", () => new Promise(() => {}), 9);\n';
    await writeFile(join(copy.folder, "test/endless.test.ts"), endless);
    const late = { ...row, noticedBy: ["test/endless.test.ts"] };
    const { outcome, by } = await judge(copy, late, services);
    expect(outcome, by).toBe("error");
    expect(by).toContain("waits: ");
  });
});
