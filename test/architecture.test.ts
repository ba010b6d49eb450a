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
    ours: /^(activities|store|gateways)\/|^telemetry\/facts\.ts$|^config\.ts$|^machines\/methods\.ts$|^workflows\/ids\.ts$/,
    // The client for the relay, which starts what events begin.
    packages: /^(node:timers\/promises|@temporalio\/(activity|common|client))$/,
  },
  gateways: {
    ours: /^(gateways|store)\/|^telemetry\/facts\.ts$|^config\.ts$/,
    packages:
      /^(node:(crypto|dns|http|https|net|timers\/promises|util)|ipaddr\.js|nodemailer|standardwebhooks|smpp|twilio(\/lib\/webhooks\/webhooks\.js)?)$/,
  },
  store: {
    ours: /^store\/|^telemetry\/facts\.ts$/,
    packages:
      /^(node:\w+(\/\w+)?|redis|pg|drizzle-(orm|kit)(\/.*)?|@node-rs\/argon2|bowser|p-limit|zod)$/,
  },
  api: {
    ours: /^(api|store|portal)\/|^identity\/app\.ts$|^gateways\/(reports|twilio-status|public-addresses|webhook)\.ts$|^telemetry\/(facts|start-traces)\.ts$|^(config|plain-faults)\.ts$|^machines\/methods\.ts$|^workflows\/(messages|ids|views)\.ts$/,
    // Not what the store, the workflows or the worker are made with.
    packages: /^(?!(redis|pg|drizzle-orm|xstate|@temporalio\/(worker|workflow|activity))(\/|$))/,
  },
  telemetry: {
    ours: /^telemetry\//,
    packages:
      /^(node:\w+|pino|hono(\/route)?|@opentelemetry\/.*|@temporalio\/(activity|common|worker|workflow|interceptors-opentelemetry))$/,
  },
  // Another protocol over the same functions.
  identity: { ours: /^(identity|api|store)\//, packages: /^(hono(\/.*)?|pino|zod)$/ },
  portal: {
    // The machines to draw their charts; none is run here.
    ours: /^(portal|api|store|machines)\/|^config\.ts$/,
    packages: /^(node:\w+(\/\w+)?|hono(\/.*)?|libphonenumber-js\/max|xstate)$/,
  },
};

/** Set-up, measurements and tests may import anything, and nothing of the service imports them. */
const AROUND = ["scripts", "bench", "test"];

/** Statements with and without names, and imports in the middle of an expression or a type. */
const IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[^;"]*?from\s+)?"([^"]+)";|\bimport\("([^"]+)"\)/gm;

type Import = { file: string; target: string; ours: boolean; erased: boolean; late: boolean };

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
  return [...text.matchAll(IMPORT)].map(([, erased, named, inline]) => {
    const specifier = named ?? inline ?? "";
    const ours = specifier.startsWith(".");
    const target = ours ? relative(root, join(root, dirname(file), specifier)) : specifier;
    return { file, target, ours, erased: erased !== undefined, late: inline !== undefined };
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

test("every folder with code has its line in the table", async () => {
  const folders = (await readdir(root, { recursive: true }))
    .filter((file) => /^[a-z][^.]*\/.*\.tsx?$/.test(file) && !file.startsWith("node_modules"))
    .map((file) => file.split("/")[0]);
  expect(
    [...new Set(folders)].filter((folder) => !AROUND.includes(folder as string)).sort(),
  ).toEqual(Object.keys(MAY).sort());
});

test("nothing of the service needs its set-up or its tests", () => {
  const own = imports.filter(({ file }) => file !== "vitest.config.ts");
  const wrong = own.filter(({ ours, target }) =>
    ours
      ? AROUND.includes(target.split("/")[0] as string)
      : /^(vitest|@temporalio\/testing)/.test(target),
  );
  expect(wrong).toEqual([]);
});

test("the configuration is handed over, not loaded, behind the entry points", () => {
  const users = imports.filter(({ target, erased }) => target === "config.ts" && !erased);
  expect(users.map(({ file }) => file).sort()).toEqual(["api/server.ts", "worker.ts"]);
});

test("OpenTelemetry is loaded by one module, which is loaded only where traces are wanted", () => {
  const users = imports.filter(({ target }) => /^@opentelemetry\/|opentelemetry$/.test(target));
  expect(new Set(users.map(({ file }) => file))).toEqual(new Set(["telemetry/tracing.ts"]));
  const loaders = imports.filter(({ target }) => target === "telemetry/tracing.ts");
  expect(loaders.length).toBeGreaterThan(0);
  expect(loaders.filter(({ late, erased }) => !late && !erased)).toEqual([]);
});

test("workflows see the activities as a type, so that none gets into their bundle", () => {
  const seen = imports.filter(
    ({ file, target }) => file.startsWith("workflows/") && target.startsWith("activities/"),
  );
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ erased }) => !erased)).toEqual([]);
});

test("Temporal's client is used by the gateway's flows, the worker's relay and their entries alone", () => {
  const users = imports.filter(
    ({ file, target }) => target === "@temporalio/client" && !file.startsWith("scripts/"),
  );
  expect(users.map(({ file }) => file).sort()).toEqual([
    "temporal/signal.ts",
    "temporal/start.ts",
    "temporal/flows.ts",
    "api/server.ts",
    "temporal/errors.ts",
    "temporal/calls.ts",
    "worker.ts",
  ]);
});

test.each([
  ["process.env", ["config.ts"]],
  // The workflow's is Temporal's, the same in each replay; a call's deadline is of the real clock.
  [
    "Date.now(",
    [
      "api/server.ts",
      "temporal/calls.ts",
      "worker.ts",
      "workflows/host.ts",
      "workflows/measure.ts",
    ],
  ],
  ["new Date()", []],
  // Under load they fail workflow tasks that run Updates.
  ["proxyLocalActivities", []],
])("%s stands only where it may", (text, allowed) => {
  const users = all.filter((source) => source.text.includes(text)).map(({ file }) => file);
  expect(users.filter((file) => !(allowed as string[]).includes(file))).toEqual([]);
});
