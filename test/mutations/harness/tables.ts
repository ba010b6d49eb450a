import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Mutation } from "../mutation.ts";

const FOLDER = dirname(import.meta.dirname);

/** A file of mistakes, named without `.ts`. */
export type Table = { name: string; mutations: Mutation[] };

/** Every table in `test/mutations`, by name: all exports of its files named `…Mutations`. */
export async function readTables(): Promise<Table[]> {
  const files = (await readdir(FOLDER)).filter((file) => /^[\w-]+\.ts$/.test(file)).sort();
  const tables = await Promise.all(
    files.map(async (file) => {
      const exported: Record<string, unknown> = await import(join(FOLDER, file));
      const mutations = Object.entries(exported)
        .filter(([name]) => name.endsWith("Mutations"))
        .flatMap(([, rows]) => rows as Mutation[]);
      return { name: basename(file, ".ts"), mutations };
    }),
  );
  return tables.filter(({ mutations }) => mutations.length > 0);
}
