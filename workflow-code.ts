import { fileURLToPath } from "node:url";
import type { BundleOptions } from "@temporalio/worker";

const flows = fileURLToPath(new URL("./workflows/index.ts", import.meta.url));

/**
 * The code of the workflows, as workers and whoever bundles it ahead load it. All of it is loaded
 * once and frozen: otherwise each workflow would evaluate machines and XState for itself.
 */
export const workflowCode = {
  workflowsPath: flows,
  preloadModules: [flows],
} satisfies BundleOptions;
