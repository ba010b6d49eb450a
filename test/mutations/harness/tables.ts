import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Mutation } from "../mutation.ts";

const FOLDER = dirname(import.meta.dirname);

/** A file of mistakes, named without `.ts`. */
export type Table = { name: string; mutations: Mutation[] };

/** The type of a row. Every other file beside it is a table. */
const TYPE = "mutation.ts";

/**
 * Every table in `test/mutations`, by name: the export of its file that is named `…Mutations`. Throws
 * if a file has none, because its rows would be missed in silence.
 */
export async function readTables(): Promise<Table[]> {
  const files = (await readdir(FOLDER)).filter(
    (file) => /^[\w-]+\.ts$/.test(file) && file !== TYPE,
  );
  return Promise.all(
    files.sort().map(async (file) => {
      const exported: Record<string, unknown> = await import(join(FOLDER, file));
      const mutations = Object.entries(exported)
        .filter(([name]) => name.endsWith("Mutations"))
        .flatMap(([, rows]) => rows as Mutation[]);
      if (mutations.length === 0) throw new Error(`${file} exports no table named …Mutations`);
      return { name: basename(file, ".ts"), mutations };
    }),
  );
}
