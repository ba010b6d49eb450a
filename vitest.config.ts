import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { limit } from "./test/support/limits.ts";

/** The settings of every test file. */
export const common = {
  environment: "node",
  pool: "forks",
  testTimeout: limit(30_000),
  hookTimeout: limit(60_000),
} as const;

const files = readdirSync(join(import.meta.dirname, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.test\.tsx?$/.test(name))
  .map((name) => join("test", name));
const those = (pattern: RegExp) => files.filter((file) => pattern.test(file));

/** Tests that need no service. They start at once. */
export const pure = those(
  /^test\/([\w-]+|(docs|machines|telemetry)\/[\w-]+|store\/(?!priority-gate)[\w-]+|activities\/sms-texts|api\/identity-v2\/docs|core\/devices\/(otp-label|typed-digits)|core\/users\/password-rule|providers\/(public-addresses|smpp-text)|scripts\/(compose|config-check)|temporal\/page-time|workflows\/messages)(\.property)?\.test\.ts$/,
);
const redis = those(/^test\/store\/redis\//);
const postgres = those(/^test\/store\/postgres\//);

const text = (file: string) => readFileSync(join(import.meta.dirname, file), "utf8");
const few = new Set([...pure, ...redis, ...postgres]);
const others = files.filter((file) => !few.has(file));

/** Test files that replace a module. Each needs a process that has loaded nothing yet. */
const mocked = others.filter((file) => /\bvi\.mock\(/.test(text(file)));

/** Test files that stop services, kill processes or measure time. They run one at a time. */
const alone = others.filter((file) =>
  /^test\/(faults\/|attacks\/slow-clients|e2e\/scale-out|scripts\/dev)/.test(file),
);

/** Test files that drive a browser or start programs. Two cores can run two of them at a time. */
const PROGRAMS =
  /from "[^"]*\/(browser|service|gateway|installation|deployment|copy|run-to-end|processes|fuzz|client-programs|smsc|redis-cluster)\.ts"|"node:child_process"/;
const pairs = others.filter((file) => !alone.includes(file) && PROGRAMS.test(text(file)));

const together = others.filter((file) => ![mocked, alone, pairs].flat().includes(file));

/** A part of the tests. It starts the services that `test/support/services.ts` names for it. */
const part = (name: string, groupOrder: number, own: TestProjectInlineConfiguration["test"]) => ({
  test: {
    ...common,
    name,
    globalSetup: "test/support/services.ts",
    // Tests mostly wait for timers and services, so four workers keep two cores busy.
    maxWorkers: 4,
    // Loading the service takes longer than most test files, so each process loads it only once.
    isolate: false,
    sequence: { groupOrder },
    ...own,
  },
});

export default defineConfig({
  test: {
    projects: [
      part("pure", 0, { include: pure, globalSetup: [], isolate: true }),
      part("mocked", 0, { include: mocked, isolate: true }),
      part("redis", 0, { include: redis }),
      part("postgres", 0, { include: postgres }),
      part("together", 0, { include: together }),
      part("pairs", 1, { include: pairs, maxWorkers: 2 }),
      part("alone", 2, { include: alone, maxWorkers: 1 }),
    ],
  },
});
