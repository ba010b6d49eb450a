import { defineConfig, mergeConfig } from "vitest/config";
import usual from "../vitest.config.ts";

/** For what takes minutes and has a command of its own: see docs/testing.md. */
export default defineConfig(
  mergeConfig(usual, {
    test: { include: ["test/**/*.heavy.ts"], testTimeout: 3_600_000, hookTimeout: 300_000 },
  }),
);
