import { type Launch, waitUntilReady } from "./processes.ts";
import { connectTemporal, SEARCH_ATTRIBUTES } from "./temporal-namespace.ts";
import { LOCAL_TEMPORAL_ENV, LOCAL_TEMPORAL_SETTINGS } from "./temporal-settings.ts";

const START_MS = 60_000;

/**
 * Starts the Temporal CLI's server on 127.0.0.1. Resolves with its address when its namespace
 * exists; a new namespace has this service's search attributes. Without a file it keeps everything
 * in memory; without a UI port it has no UI.
 */
export async function startTemporal(
  launch: Launch,
  options: {
    program: string;
    namespace: string;
    port: number;
    uiPort?: number;
    file?: string;
    settings?: Record<string, unknown>;
    logFile: string;
  },
): Promise<string> {
  const { program, namespace, port, uiPort, file, logFile } = options;
  const { settings = LOCAL_TEMPORAL_SETTINGS } = options;
  const child = launch({
    name: "Temporal",
    program,
    args: [
      ...["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--namespace", namespace],
      ...(uiPort === undefined ? ["--headless"] : ["--ui-port", String(uiPort)]),
      ...(file === undefined ? [] : ["--db-filename", file]),
      ...SEARCH_ATTRIBUTES.flatMap((name) => ["--search-attribute", `${name}=Keyword`]),
      ...Object.entries(settings).flatMap(([name, value]) => [
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
      const connection = await connectTemporal({ address });
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
