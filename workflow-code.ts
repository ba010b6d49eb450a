import { fileURLToPath } from "node:url";
import type { BundleOptions } from "@temporalio/worker";

const flows = fileURLToPath(new URL("./workflows/index.ts", import.meta.url));

/**
 * The workflows' code, as workers and the bundler load it. It is loaded and frozen once; otherwise
 * each workflow would evaluate the machines and XState itself.
 */
export const workflowCode = {
  workflowsPath: flows,
  preloadModules: [flows],
} satisfies BundleOptions;
