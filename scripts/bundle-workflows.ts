import { writeFileSync } from "node:fs";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { workflowCode } from "../workflow-code.ts";

// Writes the file that WORKFLOW_BUNDLE names: with it a worker starts without bundling.
const file = process.argv[2];
if (!file) {
  console.error("Usage: node --import tsx scripts/bundle-workflows.ts file");
  process.exit(2);
}
const { code } = await bundleWorkflowCode({ ...workflowCode, logger: new DefaultLogger("WARN") });
writeFileSync(file, code);
