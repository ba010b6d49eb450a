// Makes dist/: the service as plain JavaScript, which starts faster and needs less memory than
// TypeScript through a loader. The Dockerfile runs it; `npm start` and the tests do not need it.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { checkoutFolder } from "./folders.ts";
import { runProgram } from "./programs.ts";

/** Files beside the code that it reads at run time. */
const ASSETS = ["store/postgres/migrations", "portal/layout/assets"];

const dist = join(checkoutFolder, "dist");
const node = (...args: string[]) => runProgram(process.execPath, args, { cwd: checkoutFolder });

rmSync(dist, { recursive: true, force: true });
await node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
for (const asset of ASSETS)
  cpSync(join(checkoutFolder, asset), join(dist, asset), {
    recursive: true,
    filter: (source) => !/\.ts$|_snapshot\.json$/.test(source),
  });
// Bundled from the JavaScript, so a worker with traces, which bundles at its start, gets the same.
await node("dist/scripts/bundle-workflows.js", "dist/workflow-bundle.js");
