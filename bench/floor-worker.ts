// A worker for the bare workflow, with the settings of the service's worker. It ends with the
// bench.
import { fileURLToPath } from "node:url";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { limitTemporalCore } from "../config.ts";
import { workerSettings } from "../worker-settings.ts";

const [address, namespace, taskQueue = ""] = process.argv.slice(2);
const workflowsPath = fileURLToPath(new URL("./floor-workflow.ts", import.meta.url));

process.once("disconnect", () => process.exit());
limitTemporalCore();
Runtime.install({ logger: new DefaultLogger("WARN") });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ ...workerSettings.connection, address }),
  ...{ namespace, taskQueue, workflowsPath, bundlerOptions: { preloadModules: [workflowsPath] } },
  ...workerSettings.polling,
});
process.send?.("ready");
await worker.run();
