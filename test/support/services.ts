import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { freePort } from "../../scripts/ports.ts";
import { ensurePostgres, startPostgres } from "../../scripts/postgres.ts";
import { launch, stopAll } from "../../scripts/processes.ts";
import { reportSinceNow } from "../../scripts/progress.ts";
import { startRedis } from "../../scripts/redis.ts";
import { ensureRedis } from "../../scripts/redis-program.ts";
import { startTemporal } from "../../scripts/temporal.ts";
import { ensureTemporalCli } from "../../scripts/temporal-cli.ts";
import { connectTemporal, setRetention } from "../../scripts/temporal-namespace.ts";
import { LOCAL_TEMPORAL_SETTINGS } from "../../scripts/temporal-settings.ts";
import { ensureTimeSkippingServer } from "../../scripts/time-skipping.ts";
import { ensureSmsc } from "./smsc/install.ts";

/** Where test files find the services. */
export type Services = {
  redisUrl: string;
  temporalAddress: string;
  /** A whole server; tests make databases of their own with freshDatabase(). */
  postgresUrl: string;
  /** For TestWorkflowEnvironment.createTimeSkipping; empty where the SDK is to download it. */
  timeSkippingServerPath: string;
  /** The command that starts an SMSC; see smsc/smsc.ts. */
  smscProgram: string;
};

declare module "vitest" {
  export interface ProvidedContext extends Services {}
}

/** Vitest's global set-up: starts the real services once for all test files, and stops them. */
export default async function provideServices(project: TestProject): Promise<() => Promise<void>> {
  const { services, stop } = await startServices();
  for (const name of Object.keys(services) as (keyof Services)[])
    project.provide(name, services[name]);
  return stop;
}

/** Starts the real services, each on a free port; `stop` ends them and removes what they wrote. */
export async function startServices(): Promise<{ services: Services; stop(): Promise<void> }> {
  const report = reportSinceNow((line) => console.error(line));
  const folder = mkdtempSync(join(tmpdir(), "second-step-test-"));
  // PostgreSQL runs as a user of its own and has to reach its folder in this one.
  chmodSync(folder, 0o755);
  const stop = async () => {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  };
  const logFile = (name: string) => join(folder, "logs", `${name}.log`);

  const redis = async () => {
    const url = await startRedis(launch, {
      program: await ensureRedis(report),
      folder: join(folder, "redis"),
      port: await freePort(),
      logFile: logFile("redis"),
    });
    return url;
  };
  const postgres = async () => {
    const url = await startPostgres(launch, {
      programs: await ensurePostgres(report),
      folder: join(folder, "postgres"),
      port: await freePort(),
      logFile: logFile("postgres"),
    });
    return url;
  };
  const temporal = async () => {
    const address = await startTemporal(launch, {
      program: await ensureTemporalCli(report),
      namespace: "default",
      port: await freePort(),
      // Tests make namespaces, whose search attributes are to be known without a wait.
      settings: {
        ...LOCAL_TEMPORAL_SETTINGS,
        "system.forceSearchAttributesCacheRefreshOnRead": true,
      },
      logFile: logFile("temporal"),
    });
    const connection = await connectTemporal(address);
    await setRetention(connection, "default");
    await connection.close();
    return address;
  };
  const timeSkipping = async () => {
    return (await ensureTimeSkippingServer(report)) ?? "";
  };
  // One after the other where apt-get may be needed: it allows one installation at a time.
  const others = async () => ({
    redisUrl: await redis(),
    postgresUrl: await postgres(),
    timeSkippingServerPath: await timeSkipping(),
    smscProgram: await ensureSmsc(report),
  });

  try {
    const [rest, temporalAddress] = await Promise.all([others(), temporal()]);
    report("Redis, PostgreSQL and Temporal are ready");
    return { services: { ...rest, temporalAddress }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
