import type { Command } from "commander";

/** Prints what a command found or did: the data where `--json` is given, else the words. */
export function answer(command: Command, data: object, words: string): void {
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  console.log(json ? JSON.stringify(data) : words);
}

/**
 * Rows with the same fields as a table with a header; an empty value is shown as a dash. Without
 * rows, the text `none`.
 */
export function columns(rows: readonly Record<string, unknown>[], none: string): string {
  const [first] = rows;
  if (!first) return none;
  const names = Object.keys(first);
  const cells = [names, ...rows.map((row) => names.map((name) => shown(row[name])))];
  const widths = names.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The fields of one object, one a line. */
export function fields(thing: Record<string, unknown>): string {
  const width = Math.max(...Object.keys(thing).map(({ length }) => length));
  return Object.entries(thing)
    .map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}`)
    .join("\n");
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (Array.isArray(value)) return value.map(shown).join(", ") || "-";
  return value instanceof Date ? value.toISOString() : String(value);
}
