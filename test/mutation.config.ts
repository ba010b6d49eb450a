import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";

/** For one mistake's tests, over services that run already; it begins in a third of the time. */
export default defineConfig({
  test: {
    ...common,
    globalSetup: "test/mutations/harness/given-services.ts",
    include: ["test/**/*.test.{ts,tsx}"],
    // A copy's files are the same for every mistake but for one.
    experimental: { fsModuleCache: true, fsModuleCachePath: ".vitest-modules" },
  },
});
