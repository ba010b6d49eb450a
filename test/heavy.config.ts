import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";

/** Tests that take minutes and have their own commands: see docs/testing.md. */
export default defineConfig({
  test: {
    ...common,
    globalSetup: "test/support/services.ts",
    include: ["test/**/*.heavy.ts"],
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
  },
});
