import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TemporalServer } from "../temporal/connection.ts";
import { ensureAuditSchedule } from "./audit-schedule.ts";
import { dataFolder } from "./folders.ts";
import { startPglite } from "./pglite.ts";
import { freePort } from "./ports.ts";
import type { Launch } from "./processes.ts";
import { explained, type Report } from "./progress.ts";
import { startRedis } from "./redis.ts";
import { ensureRedis } from "./redis-program.ts";
import { startTemporal } from "./temporal.ts";
import { ensureTemporalCli } from "./temporal-cli.ts";
import { connectTemporal, registerSearchAttributes, setRetention } from "./temporal-namespace.ts";

const PORTS = { redis: 16379, postgres: 15432, temporal: 7233, temporalUi: 8233 };

/** What the parts of the stack are started with. */
export type Stage = {
  launch: Launch;
  report: Report;
  /** Registers work for the end, when everything else has stopped. */
  atStop(close: () => Promise<void>): void;
};

/** Where a log of the stack is. */
export function logFile(name: string): string {
  return join(dataFolder, "logs", `${name}.log`);
}

/** Starts an embedded Redis that keeps its data; resolves with its URL. */
export async function embeddedRedis({ launch, report }: Stage): Promise<string> {
  const program = await ensureRedis(report);
  const port = await freePort(PORTS.redis);
  report(`Starting Redis on port ${port}`);
  const folder = join(dataFolder, "redis");
  return startRedis(launch, { program, folder, port, logFile: logFile("redis") });
}

/** Starts an embedded PostgreSQL that keeps its data; resolves with its URL. */
export async function embeddedPostgres({ report, atStop }: Stage): Promise<string> {
  const port = await freePort(PORTS.postgres);
  report(`Starting PostgreSQL (PGlite) on port ${port}`);
  const folder = join(dataFolder, "postgres");
  const starting = startPglite({ folder, port });
  const { url, stop } = await explained(`The database in ${folder} cannot be opened`, starting);
  atStop(stop);
  return url;
}

/** Starts an embedded Temporal that keeps its data; resolves with its addresses. */
export async function embeddedTemporal(
  { launch, report }: Stage,
  namespace: string,
  retentionDays?: number,
) {
  const program = await ensureTemporalCli(report);
  const port = await freePort(PORTS.temporal);
  const uiPort = await freePort(PORTS.temporalUi);
  report(`Starting Temporal on port ${port}`);
  const folder = join(dataFolder, "temporal");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "temporal.db");
  const log = logFile("temporal");
  const address = await startTemporal(launch, {
    ...{ program, namespace, port, uiPort, file },
    logFile: log,
  });
  const connection = await connectTemporal({ address });
  await setRetention(connection, namespace, retentionDays);
  await connection.close();
  return { address, ui: `http://127.0.0.1:${uiPort}` };
}

/** Makes this service's search attributes and schedule on a Temporal server, embedded or not. */
export async function prepareTemporal(server: TemporalServer, namespace: string): Promise<void> {
  const connection = await connectTemporal(server);
  try {
    await registerSearchAttributes(connection, namespace);
    await ensureAuditSchedule(connection, namespace);
  } finally {
    await connection.close();
  }
}
