import { type Launch, waitUntilReady } from "./processes.ts";
import { connectTemporal } from "./temporal-namespace.ts";
import { LOCAL_TEMPORAL_ENV, TEMPORAL_SETTINGS } from "./temporal-settings.ts";

const START_MS = 60_000;

/**
 * Starts the Temporal CLI's server on 127.0.0.1 and resolves with its address when its namespace is there.
 * Without a file it keeps everything in memory; without a UI port it has no UI.
 */
export async function startTemporal(
  launch: Launch,
  options: {
    program: string;
    namespace: string;
    port: number;
    uiPort?: number;
    file?: string;
    logFile: string;
  },
): Promise<string> {
  const { program, namespace, port, uiPort, file, logFile } = options;
  const child = launch({
    name: "Temporal",
    program,
    args: [
      ...["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--namespace", namespace],
      ...(uiPort === undefined ? ["--headless"] : ["--ui-port", String(uiPort)]),
      ...(file === undefined ? [] : ["--db-filename", file]),
      ...Object.entries(TEMPORAL_SETTINGS).flatMap(([name, value]) => [
        "--dynamic-config-value",
        `${name}=${value}`,
      ]),
      ...["--log-level", "error"],
    ],
    env: { ...process.env, ...LOCAL_TEMPORAL_ENV },
    logFile,
  });
  const address = `127.0.0.1:${port}`;
  await waitUntilReady(
    child,
    async () => {
      const connection = await connectTemporal(address);
      try {
        await connection.workflowService.describeNamespace({ namespace });
      } finally {
        await connection.close();
      }
    },
    START_MS,
  );
  return address;
}
