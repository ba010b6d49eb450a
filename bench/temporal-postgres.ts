import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../scripts/folders.ts";
import { freePort } from "../scripts/ports.ts";
import { type Launch, waitUntilReady } from "../scripts/processes.ts";
import { runProgram } from "../scripts/programs.ts";
import type { Report } from "../scripts/progress.ts";
import { connectTemporal, ensureNamespace } from "../scripts/temporal-namespace.ts";
import { LOCAL_TEMPORAL_ENV, TEMPORAL_SETTINGS } from "../scripts/temporal-settings.ts";

/** The server's version in the Temporal CLI that `npm start` runs. */
const VERSION = "v1.29.1";
const START_MS = 60_000;
const NAMESPACE_MS = 15_000;
const SHARDS = 4;
/**
 * Temporal stores its hosts' ports as PostgreSQL's smallint: ports that the system chooses are too
 * large.
 */
const FIRST_PORT = 27_233;
const SERVICES = ["frontend", "matching", "history", "worker"];
const SCHEMAS = { temporal: "temporal", temporal_visibility: "visibility" };
const PLUGIN = "postgres12_pgx";

/** The folder of Temporal's server and of its SQL tool, built once with Go; takes two minutes. */
export async function ensureTemporalServer(report: Report): Promise<string> {
  const folder = join(cacheFolder, `temporal-server-${VERSION}`);
  if (existsSync(join(folder, "sql")) && existsSync(join(folder, "server"))) return folder;
  report("Building the Temporal server with Go; this takes some minutes, once");
  mkdirSync(folder, { recursive: true });
  const programs = ["cmd/server", "cmd/tools/sql"];
  await runProgram(
    "go",
    ["install", ...programs.map((path) => `go.temporal.io/server/${path}@${VERSION}`)],
    { cwd: folder, env: { ...process.env, GOBIN: folder, CGO_ENABLED: "0" } },
  );
  return folder;
}

/**
 * Starts a Temporal server on 127.0.0.1 that keeps its data in this PostgreSQL; resolves with its
 * address.
 */
export async function startTemporalOnPostgres(
  launch: Launch,
  options: {
    programs: string;
    databaseUrl: string;
    folder: string;
    logFile: string;
    namespace: string;
  },
): Promise<string> {
  const { programs, databaseUrl, folder, logFile, namespace } = options;
  const database = new URL(databaseUrl);
  await makeSchemas(join(programs, "sql"), database);

  const port = await freePort(FIRST_PORT);
  mkdirSync(folder, { recursive: true });
  const settings = Object.entries(TEMPORAL_SETTINGS);
  const dynamic = Object.fromEntries(settings.map(([name, value]) => [name, [{ value }]]));
  writeFileSync(join(folder, "dynamic.yaml"), JSON.stringify(dynamic));
  // JSON is YAML.
  const configuration = JSON.stringify(await configure(database, port, folder));
  writeFileSync(join(folder, "bench.yaml"), configuration, { mode: 0o600 });
  const child = launch({
    name: "Temporal",
    program: join(programs, "server"),
    args: ["--root", folder, "--config", ".", "--env", "bench", "--allow-no-auth", "start"],
    env: { ...process.env, ...LOCAL_TEMPORAL_ENV },
    logFile,
  });
  const address = `127.0.0.1:${port}`;
  const connected = async <T>(
    work: (connection: Awaited<ReturnType<typeof connectTemporal>>) => Promise<T>,
  ) => {
    const connection = await connectTemporal({ address });
    return work(connection).finally(() => connection.close());
  };
  await waitUntilReady(child, () => connected((it) => ensureNamespace(it, namespace)), START_MS);
  const isKnown = () =>
    connected((it) => it.workflowService.listOpenWorkflowExecutions({ namespace }));
  await waitUntilReady(child, isKnown, NAMESPACE_MS);
  return address;
}

async function makeSchemas(tool: string, { hostname, port, username, password }: URL) {
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    const common = ["--ep", hostname, "-p", port, "-u", username, "--pl", PLUGIN, "--db", name];
    const env = { ...process.env, SQL_PASSWORD: password };
    const run = (...args: string[]) => runProgram(tool, [...common, ...args], { env });
    await run("create-database");
    await run("setup-schema", "-v", "0.0");
    await run("update-schema", "--schema-name", `postgresql/v12/${schema}`);
  }
}

async function configure({ host, username, password }: URL, grpcPort: number, folder: string) {
  const store = (databaseName: string) => ({
    sql: {
      ...{ pluginName: PLUGIN, databaseName, connectAddr: host, connectProtocol: "tcp" },
      ...{ user: username, password, maxConns: 20, maxIdleConns: 20, maxConnLifetime: "1h" },
    },
  });
  const services: Record<string, { rpc: object }> = {};
  for (const [index, name] of SERVICES.entries()) {
    const rpc = {
      grpcPort: name === "frontend" ? grpcPort : await freePort(FIRST_PORT + 10 + index),
      membershipPort: await freePort(FIRST_PORT + 20 + index),
      bindOnLocalHost: true,
    };
    services[name] = { rpc };
  }
  const cluster = { enabled: true, initialFailoverVersion: 1, rpcName: "frontend" };
  return {
    log: { stdout: true, level: "error" },
    persistence: {
      defaultStore: "default",
      visibilityStore: "visibility",
      numHistoryShards: SHARDS,
      datastores: { default: store("temporal"), visibility: store("temporal_visibility") },
    },
    global: { membership: { maxJoinDuration: "30s", broadcastAddress: "127.0.0.1" } },
    services,
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: "active",
      currentClusterName: "active",
      clusterInformation: { active: { ...cluster, rpcAddress: `127.0.0.1:${grpcPort}` } },
    },
    dcRedirectionPolicy: { policy: "noop" },
    dynamicConfigClient: { filepath: join(folder, "dynamic.yaml"), pollInterval: "60s" },
  };
}
