import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OWN_MIGRATIONS } from "../../store/postgres/migrations/journal.ts";

/**
 * The migrations of a newer build: today's, and these, which are called `later_0`, `later_1` and so
 * on. For a newer build, today's code is the older one. Call `remove()` at the end.
 */
export function migrationsAnd(...later: string[]): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "second-step-migrations-"));
  cpSync(OWN_MIGRATIONS, folder, { recursive: true });
  const journal = join(folder, "meta/_journal.json");
  const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8"));
  const last = entries.at(-1);
  const added = later.map((sql, index) => {
    const tag = `later_${index}`;
    writeFileSync(join(folder, `${tag}.sql`), sql);
    return { ...last, idx: last.idx + 1 + index, when: last.when + 1000 * (index + 1), tag };
  });
  writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, ...added] }));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
