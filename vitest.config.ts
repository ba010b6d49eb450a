import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { limit } from "./test/support/limits.ts";

/** What every test file is run with. */
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

/** Where no service is needed: these start at once. */
export const pure = those(
  /^test\/([\w-]+|(docs|machines)\/[\w-]+|store\/(?!priority-gate)[\w-]+|activities\/sms-texts|api\/identity-v2\/docs|core\/devices\/(otp-label|typed-digits)|core\/users\/password-rule|providers\/(public-addresses|smpp-text)|scripts\/(compose|config-check)|temporal\/page-time|workflows\/messages)(\.property)?\.test\.ts$/,
);
const redis = those(/^test\/store\/redis\//);
const postgres = those(/^test\/store\/postgres\//);

/** What drives a browser or starts programs: two cores bear one such file at a time. */
const CROWDS =
  /from "[^"]*\/(browser|service|gateway|installation|deployment|copy|processes|outages|crash|fuzz|client-programs|smsc|redis-cluster)\.ts"|"node:child_process"/;

const few = new Set([...pure, ...redis, ...postgres]);
const [alone, together] = [true, false].map((crowds) =>
  files
    .filter((file) => !few.has(file))
    .filter(
      (file) => CROWDS.test(readFileSync(join(import.meta.dirname, file), "utf8")) === crowds,
    ),
) as [string[], string[]];

/** A part of the tests, which starts the services that `test/support/services.ts` names for it. */
const part = (name: string, groupOrder: number, own: TestProjectInlineConfiguration["test"]) => ({
  test: {
    ...common,
    name,
    globalSetup: "test/support/services.ts",
    // Tests wait for timers and for services more than they work: two cores are busy with four.
    maxWorkers: 4,
    sequence: { groupOrder },
    ...own,
  },
});

export default defineConfig({
  test: {
    projects: [
      part("pure", 0, { include: pure, globalSetup: [] }),
      part("redis", 0, { include: redis }),
      part("postgres", 0, { include: postgres }),
      part("together", 0, { include: together }),
      part("alone", 1, { include: alone, maxWorkers: 1 }),
    ],
  },
});
