import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { freePort } from "../../scripts/ports.ts";
import { launch, waitUntilReady } from "../../scripts/processes.ts";
import { runProgram } from "../../scripts/programs.ts";
import { limit } from "./limits.ts";

/** Fewer than the service's connections, so that these share the server's. */
const POOL_SIZE = 4;

const install = () => ensureDebianPackage("pgbouncer", "pgbouncer", () => {});

/** Whether the installed PgBouncer knows named statements in transaction mode: since 1.21. */
export async function knowsNamedStatements(): Promise<boolean> {
  const [, major, minor] =
    /(\d+)\.(\d+)/.exec(await runProgram(await install(), ["--version"])) ?? [];
  return Number(major) > 1 || Number(minor) >= 21;
}

/** Starts a PgBouncer in transaction mode before this database. */
export async function startPgbouncer(database: URL) {
  const program = await install();
  const folder = mkdtempSync(join(tmpdir(), "second-step-pgbouncer-"));
  chmodSync(folder, 0o755);
  const [port, users, file] = [await freePort(), join(folder, "users"), join(folder, "ini")];
  const { username, password } = database;
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`);
  const settings = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: users,
    pool_mode: "transaction",
    default_pool_size: POOL_SIZE,
    ignore_startup_parameters: "statement_timeout",
    ...((await knowsNamedStatements()) && { max_prepared_statements: 400 }),
    // It refuses to run as root.
    ...(process.getuid?.() === 0 && { user: "nobody" }),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const server = `* = host=${database.hostname} port=${database.port}`;
  writeFileSync(file, ["[databases]", server, "[pgbouncer]", ...lines, ""].join("\n"));
  const logFile = join(folder, "log");
  const child = launch({ name: "PgBouncer", program, args: [file], logFile, stopSignal: "SIGINT" });
  const url = new URL(database);
  url.port = String(port);
  const answers = async () => {
    const client = new pg.Client({ connectionString: url.href });
    client.on("error", () => {});
    await client.connect();
    await client.query("select 1").finally(() => client.end());
  };
  await waitUntilReady(child, answers, limit(20_000));
  return {
    url: url.href,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
