import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from "@temporalio/worker";
import { cacheFolder, checkoutFolder } from "../../scripts/folders.ts";
import { workflowCode } from "../../workflow-code.ts";

/** The folders whose code is in the workflow bundle. */
const SOURCES = ["machines", "workflows", "telemetry"];

const folder = join(cacheFolder, "workflow-bundles");
const building = new Map<string, Promise<string>>();

/**
 * The path of a bundle with the workflows and these interceptors, for a worker's `WORKFLOW_BUNDLE`.
 * It takes seconds to build, so it is built once for each state of its sources.
 */
export function bundleFile(...interceptors: string[]): Promise<string> {
  const name = interceptors.join();
  const file = building.get(name) ?? build(interceptors);
  building.set(name, file);
  return file;
}

/** The same bundle, as the option of a worker or a replay. */
export async function bundle(...interceptors: string[]): Promise<WorkflowBundle> {
  return { code: readFileSync(await bundleFile(...interceptors), "utf8") };
}

async function build(workflowInterceptorModules: string[]): Promise<string> {
  const file = join(folder, `${stateOf(workflowInterceptorModules)}.js`);
  if (existsSync(file)) return file;
  const logger = new DefaultLogger("ERROR");
  const { code } = await bundleWorkflowCode({
    ...workflowCode,
    workflowInterceptorModules,
    logger,
  });
  mkdirSync(folder, { recursive: true });
  // Several test files may build at the same time. The rename is atomic, so all read a whole file.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, code);
  renameSync(own, file);
  return file;
}

function stateOf(interceptors: string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(interceptors));
  const files = SOURCES.flatMap((source) =>
    readdirSync(join(checkoutFolder, source)).map((name) => join(source, name)),
  );
  for (const name of [...files.sort(), "units.ts", "workflow-code.ts", "package-lock.json"])
    hash.update(`${name}\n`).update(readFileSync(join(checkoutFolder, name)));
  return hash.digest("hex").slice(0, 16);
}
