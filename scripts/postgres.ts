import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { installDebianPackages } from "./debian.ts";
import { type Launch, waitUntilReady } from "./processes.ts";
import { findProgram, runProgram } from "./programs.ts";
import { type Report, SetUpError } from "./progress.ts";

const START_MS = 60_000;
const DEBIAN_FOLDER = "/usr/lib/postgresql";

/** The folder of PostgreSQL's server programs, the newest there is, else one installed now. */
export async function ensurePostgres(report: Report): Promise<string> {
  const present = findPostgres();
  if (present) return present;
  await installDebianPackages(["postgresql"], report);
  const installed = findPostgres();
  if (!installed) throw new SetUpError("The package postgresql was installed without a server");
  return installed;
}

function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_FOLDER, version, "bin"));
  const onPath = findProgram("initdb");
  if (onPath) folders.push(dirname(onPath));
  return folders.find((folder) => existsSync(join(folder, "initdb")));
}

type Server = { programs: string; folder: string; port: number; logFile: string };

/**
 * Makes a PostgreSQL in an empty `folder` and starts it on 127.0.0.1 and on a socket in that
 * folder. As root it runs as the user `postgres`, or `nobody`, who must be able to reach the
 * folder. Resolves with its URL.
 */
export async function startPostgres(launch: Launch, server: Server): Promise<string> {
  return runPostgres(launch, { ...server, password: await makePostgres(server) });
}

/**
 * Makes a PostgreSQL in an empty `folder`; resolves with the password of its superuser `postgres`.
 */
export async function makePostgres({
  programs,
  folder,
}: Pick<Server, "programs" | "folder">): Promise<string> {
  const owner = await unprivilegedUser();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (owner) chownSync(folder, owner.uid, owner.gid);

  const password = randomBytes(24).toString("base64url");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  const data = join(folder, "data");
  const authentication = ["--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  await runProgram(
    join(programs, "initdb"),
    ["-D", data, "-U", "postgres", ...authentication, "-E", "UTF8", "--locale=C", "--no-sync"],
    { cwd: folder, ...owner },
  );
  rmSync(passwordFile);
  return password;
}

/** Starts a PostgreSQL that was made before; resolves with its URL. */
export async function runPostgres(
  launch: Launch,
  { programs, folder, port, logFile, password }: Server & { password: string },
): Promise<string> {
  const owner = await unprivilegedUser();
  const data = join(folder, "data");
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    max_connections: 200,
  };
  const child = launch({
    name: "PostgreSQL",
    program: join(programs, "postgres"),
    args: [
      "-D",
      data,
      "-p",
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    cwd: folder,
    logFile,
    // PostgreSQL's fast shutdown. On SIGTERM it would wait until its clients disconnect.
    stopSignal: "SIGINT",
    ...owner,
  });
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  await waitUntilReady(child, () => select1(url), START_MS);
  return url;
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = async (flag: string, user: string) => Number(await runProgram("id", [flag, user]));
  const idsOf = async (user: string) => ({
    uid: await idOf("-u", user),
    gid: await idOf("-g", user),
  });
  return idsOf("postgres").catch(() => idsOf("nobody"));
}

async function select1(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
  } finally {
    await client.end();
  }
}
