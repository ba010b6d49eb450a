import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkoutFolder } from "../scripts/folders.ts";

/**
 * Replaces what stands between `<!-- bench: name -->` and `<!-- bench end -->` in a page of docs/.
 */
export function writeBlock(page: string, name: string, text: string): void {
  const file = join(checkoutFolder, "docs", page);
  const begin = `<!-- bench: ${name} -->`;
  const [before, rest] = readFileSync(file, "utf8").split(begin);
  const after = rest?.split("<!-- bench end -->").slice(1).join("<!-- bench end -->");
  if (before === undefined || after === undefined) throw new Error(`${page} has no ${begin}`);
  writeFileSync(file, `${before}${begin}\n\n${text}\n\n<!-- bench end -->${after}`);
}
