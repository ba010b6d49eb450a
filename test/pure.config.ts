import { defineConfig } from "vitest/config";
import { common } from "../vitest.config.ts";

/** Tests of pure code, which need no service. `npm run test:stryker` mutates that code. */
export default defineConfig({
  test: {
    ...common,
    include: [
      "test/machines/*.test.ts",
      "test/store/{codes,ids,methods,recovery-codes,sealing,typed-text,usernames}*.test.ts",
      "test/core/devices/typed-digits*.test.ts",
    ],
  },
});
