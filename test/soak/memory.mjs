// Loaded into gateways and workers by NODE_OPTIONS. At SIGUSR2 the process collects its garbage and
// writes down what is left. Plain JavaScript, since it is loaded before tsx.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

const folder = process.env.SOAK_FOLDER;
if (isMainThread && folder) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const file = join(folder, String(process.pid));
  process.on("SIGUSR2", () => {
    collect();
    collect();
    writeFileSync(`${file}.partial`, JSON.stringify(process.memoryUsage()));
    renameSync(`${file}.partial`, `${file}.json`);
  });
}
