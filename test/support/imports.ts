import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { checkoutFolder } from "../../scripts/folders.ts";

/** A file of the project, with its path from the project's root. */
export type Source = { file: string; text: string };

/**
 * One import of a file: of another file or of a package. `erased`: only types, gone at run time.
 * `late`: a dynamic `import()`, loaded when that line runs.
 */
export type Import = {
  file: string;
  target: string;
  ours: boolean;
  erased: boolean;
  late: boolean;
};

/** Every source file under these folders. `.` means the root's own files, not its folders. */
export async function sourcesIn(folders: readonly string[]): Promise<Source[]> {
  const files: string[] = [];
  for (const folder of folders) {
    const found = await readdir(join(checkoutFolder, folder), { recursive: folder !== "." });
    files.push(...found.map((name) => join(folder, name)));
  }
  const typescript = files.filter((file) => /\.tsx?$/.test(file));
  return Promise.all(
    typescript.map(async (file) => ({
      file,
      text: await readFile(join(checkoutFolder, file), "utf8"),
    })),
  );
}

/** What a file imports, by a parser: statements, re-exports, `import()` of code and of types. */
export function importsOf({ file, text }: Source): Import[] {
  const { program, module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: Import[] = [];
  const note = (specifier: string, erased: boolean, late = false) => {
    const ours = specifier.startsWith(".");
    const target = ours ? normalize(join(dirname(file), specifier)) : specifier;
    found.push({ file, target, ours, erased, late });
  };
  for (const { moduleRequest, entries } of module.staticImports)
    note(moduleRequest.value, entries.length > 0 && entries.every(({ isType }) => isType));
  for (const { entries } of module.staticExports)
    for (const { moduleRequest, isType } of entries)
      if (moduleRequest) note(moduleRequest.value, isType);
  new Visitor({
    ImportExpression({ source }) {
      if (source.type === "Literal") note(String(source.value), false, true);
    },
    TSImportType({ source }) {
      note(source.value, true);
    },
  }).visit(program);
  return found;
}

/** Import cycles, type imports included: each lists its files in import order. */
export function circlesIn(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { file, target, ours } of imports)
    if (ours) targets.set(file, [...(targets.get(file) ?? []), target]);
  const circles: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) return void circles.push(path.slice(at));
    if (done.has(file)) return;
    for (const target of targets.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) walk(file, []);
  return circles;
}
