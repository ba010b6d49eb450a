import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkArchive, writeArchive } from "../../../store/events/event-archive.ts";

const folder = mkdtempSync(join(tmpdir(), "second-step-archive-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string) => join(folder, `${name}.ndjson.gz`);

test("an archive that is gone before it is checked is an error of the check alone", async () => {
  await expect(checkArchive(folder, "gone")).rejects.toMatchObject({ code: "ENOENT" });
});

test("an archive that was cut off or is none is an error", async () => {
  const pages = async function* () {};
  expect(await writeArchive(folder, "whole", pages())).toBe(0);
  expect(await checkArchive(folder, "whole")).toBe(0);
  writeFileSync(fileOf("cut"), readFileSync(fileOf("whole")).subarray(0, -4));
  await expect(checkArchive(folder, "cut")).rejects.toThrow("unexpected end of file");
  writeFileSync(fileOf("other"), "no archive");
  await expect(checkArchive(folder, "other")).rejects.toThrow("incorrect header check");
});
