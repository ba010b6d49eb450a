import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each folder may import: of this project, and of packages (`*` for any). */
const MAY: Record<string, { ours: RegExp; packages: RegExp }> = {
  machines: { ours: /^machines\//, packages: /^xstate$/ },
  workflows: {
    // The activities' types alone: that they are erased is checked below.
    ours: /^(machines\/|workflows\/|activities\/index\.ts$)/,
    packages: /^(xstate|@temporalio\/workflow)$/,
  },
  activities: {
    ours: /^(activities|store|gateways)\/|^config\.ts$|^machines\/methods\.ts$/,
    packages: /^@temporalio\/(activity|common)$/,
  },
  gateways: { ours: /^(gateways|store)\/|^config\.ts$/, packages: /^$/ },
  store: {
    ours: /^store\//,
    packages: /^(node:\w+|redis|pg|drizzle-(orm|kit)(\/.*)?|@node-rs\/argon2)$/,
  },
  api: {
    ours: /^(api|store|portal)\/|^config\.ts$|^machines\/methods\.ts$|^workflows\/(messages|ids|views)\.ts$/,
    packages: /.*/,
  },
  portal: { ours: /^(portal|api|store)\//, packages: /^hono(\/.*)?$/ },
};

const IMPORT = /^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)";/gm;

type Import = { file: string; target: string; ours: boolean; erased: boolean };

async function sources(): Promise<{ file: string; text: string }[]> {
  const files: string[] = [];
  for (const folder of [...Object.keys(MAY), "."]) {
    const found = await readdir(join(root, folder), { recursive: folder !== "." });
    files.push(...found.map((name) => join(folder, name)));
  }
  const typescript = files.filter((file) => /\.tsx?$/.test(file));
  return Promise.all(
    typescript.map(async (file) => ({ file, text: await readFile(join(root, file), "utf8") })),
  );
}

function importsOf({ file, text }: { file: string; text: string }): Import[] {
  return [...text.matchAll(IMPORT)].map(([, erased, specifier = ""]) => {
    const ours = specifier.startsWith(".");
    const target = ours ? relative(root, join(root, dirname(file), specifier)) : specifier;
    return { file, target, ours, erased: erased !== undefined };
  });
}

const all = await sources();
const imports = all.flatMap(importsOf);

test.each(Object.entries(MAY))("%s imports only what it may", (folder, may) => {
  const own = imports.filter(({ file }) => file.startsWith(`${folder}/`));
  expect(own.length).toBeGreaterThan(0);
  const wrong = own.filter(({ ours, target }) => !(ours ? may.ours : may.packages).test(target));
  expect(wrong).toEqual([]);
});

test("workflows see the activities as a type, so that none gets into their bundle", () => {
  const seen = imports.filter(
    ({ file, target }) => file.startsWith("workflows/") && target.startsWith("activities/"),
  );
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ erased }) => !erased)).toEqual([]);
});

test("Temporal's client is used by the gateway's flows and entry alone", () => {
  const users = imports.filter(
    ({ file, target }) => target === "@temporalio/client" && !file.startsWith("scripts/"),
  );
  expect(users.map(({ file }) => file).sort()).toEqual(["api/flows.ts", "api/server.ts"]);
});

test.each([
  ["process.env", ["config.ts"]],
  ["Date.now(", ["api/server.ts", "worker.ts"]],
  ["proxyLocalActivities", []],
])("%s stands only where it may", (text, allowed) => {
  const users = all.filter((source) => source.text.includes(text)).map(({ file }) => file);
  expect(users.filter((file) => !(allowed as string[]).includes(file))).toEqual([]);
});
