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
  /** For TestWorkflowEnvironment.createTimeSkipping; empty if the SDK downloads the server. */
  timeSkippingServerPath: string;
  /** The command that starts an SMSC; see smsc/smsc.ts. */
  smscProgram: string;
};

declare module "vitest" {
  export interface ProvidedContext extends Services {}
}

type Need = "redis" | "postgres" | "temporal";

/**
 * The services that a part of the tests needs (parts as in `vitest.config.ts`). Others need all.
 */
const NEEDS: Record<string, Need[]> = { redis: ["redis"], postgres: ["postgres"] };
const ALL: Need[] = ["redis", "postgres", "temporal"];

/** State that the parts of one run share through `globalThis`: each part loads its own module. */
type Shared = { started: Map<Need, Promise<Partial<Services>>>; stops: Stop[]; users: number };
type Stop = () => Promise<void>;

const SHARED = Symbol.for("second-step services");
const here = globalThis as { [SHARED]?: Shared };

/**
 * Vitest's global set-up: starts the real services that the part needs, once for all parts. The
 * last part to end stops them.
 */
export default async function provideServices(project: TestProject): Promise<Stop> {
  const { services, stop } = await startServices(NEEDS[project.name]);
  for (const name of Object.keys(services) as (keyof Services)[])
    project.provide(name, services[name]);
  return stop;
}

/**
 * Starts the real services that this process has not started yet, each on a free port. The last
 * call of `stop` ends the services and removes their files.
 */
export async function startServices(needs = ALL): Promise<{ services: Services; stop: Stop }> {
  here[SHARED] ??= { started: new Map(), stops: [], users: 0 };
  const { started, stops } = here[SHARED];
  const missing = needs.filter((need) => !started.has(need));
  if (missing.length > 0) {
    const { ready, stop } = start(missing);
    stops.push(stop);
    for (const need of missing) started.set(need, ready);
  }
  here[SHARED].users += 1;
  const stop = async () => {
    if (!here[SHARED] || --here[SHARED].users > 0) return;
    here[SHARED] = undefined;
    await Promise.all(stops.map((each) => each()));
  };
  try {
    const found = await Promise.all(needs.map((need) => started.get(need)));
    return { services: Object.assign({}, ...found) as Services, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(needs: readonly Need[]): { ready: Promise<Partial<Services>>; stop: Stop } {
  const report = reportSinceNow((line) => console.error(line));
  const folder = mkdtempSync(join(tmpdir(), "second-step-test-"));
  // PostgreSQL runs as its own user, which must be able to enter this folder.
  chmodSync(folder, 0o755);
  const stop = async () => {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  };
  const logFile = (name: string) => join(folder, "logs", `${name}.log`);

  const redis = async () => ({
    redisUrl: await startRedis(launch, {
      program: await ensureRedis(report),
      folder: join(folder, "redis"),
      port: await freePort(),
      logFile: logFile("redis"),
    }),
  });
  const postgres = async () => ({
    postgresUrl: await startPostgres(launch, {
      programs: await ensurePostgres(report),
      folder: join(folder, "postgres"),
      port: await freePort(),
      logFile: logFile("postgres"),
    }),
  });
  const temporal = async () => {
    const temporalAddress = await startTemporal(launch, {
      program: await ensureTemporalCli(report),
      namespace: "default",
      port: await freePort(),
      // Tests make namespaces and need their search attributes at once.
      settings: {
        ...LOCAL_TEMPORAL_SETTINGS,
        "system.forceSearchAttributesCacheRefreshOnRead": true,
      },
      logFile: logFile("temporal"),
    });
    const connection = await connectTemporal({ address: temporalAddress });
    await setRetention(connection, "default");
    await connection.close();
    return { temporalAddress };
  };
  const besideTemporal = async () => ({
    timeSkippingServerPath: (await ensureTimeSkippingServer(report)) ?? "",
    smscProgram: await ensureSmsc(report),
  });
  // One after the other: each may need apt-get, which allows one installation at a time.
  const installed = async () => ({
    ...(needs.includes("redis") && (await redis())),
    ...(needs.includes("postgres") && (await postgres())),
    ...(needs.includes("temporal") && (await besideTemporal())),
  });
  const ready = Promise.all([installed(), needs.includes("temporal") && temporal()]).then(
    ([services, more]) => {
      report(`Ready: ${needs.join(", ")}`);
      return { ...services, ...more };
    },
  );
  return { ready, stop };
}
