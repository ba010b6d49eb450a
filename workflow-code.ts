import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { BundleOptions } from "@temporalio/worker";

// TypeScript in a checkout, JavaScript in a build: the same ending as this file's.
const index = `./workflows/index${extname(import.meta.url)}`;
const flows = fileURLToPath(new URL(index, import.meta.url));

/**
 * The workflows' code, as workers and the bundler load it. It is loaded and frozen once; otherwise
 * each workflow would evaluate the machines and XState itself.
 */
export const workflowCode = {
  workflowsPath: flows,
  preloadModules: [flows],
} satisfies BundleOptions;
