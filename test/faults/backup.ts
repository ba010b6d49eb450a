import { cpSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { runProgram } from "../../scripts/programs.ts";
import type { Installation } from "./installation.ts";

/** What happens to each store: it is kept as it is, or comes back empty, or from the backup. */
export type Loss = {
  postgresql: "kept" | "earlier";
  redis: "kept" | "empty" | "older";
  temporal: "kept" | "empty" | "older";
};

/**
 * Copies all three stores, as docs/disaster-recovery.md says: PostgreSQL while the service runs,
 * the others while they are stopped for a moment. Answers a function that loses what a `Loss` says.
 */
export async function backUp(installation: Installation) {
  const { data, part } = installation;
  const { databaseUrl, programs, folder, redisFolder, temporalFile } = data;
  const program = (name: string) => join(programs, name);
  const dump = join(folder, "backup.dump");
  await runProgram(program("pg_dump"), ["--format=custom", "--file", dump, "-d", databaseUrl]);

  const copies = join(folder, "copies");
  await restarted(installation, ["redis", "temporal"], () => {
    rmSync(copies, { recursive: true, force: true });
    for (const file of [...filesOf(temporalFile), redisFolder])
      cpSync(file, join(copies, basename(file)), { recursive: true });
  });

  return async (loss: Loss): Promise<void> => {
    const lost = (["postgresql", "redis", "temporal"] as const).filter((n) => loss[n] !== "kept");
    // Nobody must write while a store is replaced.
    const service = ["worker-1", "worker-2", "gateway-1", "gateway-2"];
    for (const name of service) await part(name).kill();
    if (loss.postgresql === "earlier") {
      await emptyDatabase(databaseUrl);
      await runProgram(program("pg_restore"), ["--exit-on-error", "-d", databaseUrl, dump]);
    }
    const back = (files: readonly string[], from: "empty" | "older") => {
      for (const file of files) rmSync(file, { recursive: true, force: true });
      if (from === "empty") return;
      const copied = new Set(readdirSync(copies));
      for (const file of files.filter((each) => copied.has(basename(each))))
        cpSync(join(copies, basename(file)), file, { recursive: true });
    };
    await restarted(
      installation,
      lost.filter((name) => name !== "postgresql"),
      () => {
        if (loss.redis !== "kept") back([redisFolder], loss.redis);
        if (loss.temporal !== "kept") back(allOf(temporalFile), loss.temporal);
      },
    );
    await Promise.all(service.map((name) => part(name).start()));
  };
}

/** SQLite keeps newest writes in files beside it. */
const allOf = (file: string) => ["", "-wal", "-shm"].map((end) => file + end);

const filesOf = (file: string) => {
  const present = new Set(readdirSync(dirname(file)));
  return allOf(file).filter((each) => present.has(basename(each)));
};

async function restarted({ part }: Installation, names: string[], change: () => void) {
  for (const name of names) await part(name).kill();
  change();
  await Promise.all(names.map((name) => part(name).start()));
}

/** An empty database in the place of the old one. */
async function emptyDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const name = target.pathname.slice(1);
  target.pathname = "template1";
  const client = new pg.Client({ connectionString: target.href });
  await client.connect();
  try {
    await client.query(`drop database "${name}" with (force)`);
    await client.query(`create database "${name}"`);
  } finally {
    await client.end();
  }
}
