import { loadConfig, loadSettings } from "../config.ts";
import { connectDatabase } from "../store/postgres/connect.ts";
import { hasOutbox } from "../store/redis/messages/outbox.ts";
import { TEMPORAL_SETTINGS, temporalServer } from "../temporal/connection.ts";
import { dataFolder } from "./folders.ts";
import { tryPort } from "./ports.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { launch, stopAll } from "./processes.ts";
import { explained, reportSinceNow, SetUpError } from "./progress.ts";
import { pingRedis } from "./redis.ts";
import { type Restarted, restartOnChange } from "./restart-on-change.ts";
import { keptSecrets } from "./secrets.ts";
import { seedDemo } from "./seed.ts";
import { startGateway, startWorker } from "./service.ts";
import {
  embeddedPostgres,
  embeddedRedis,
  embeddedTemporal,
  prepareTemporal,
  type Stage,
} from "./stack.ts";
import { lockStack } from "./stack-lock.ts";
import { startSettings } from "./start-settings.ts";

/** In ms. npm and the terminal both pass one Ctrl-C on; only a later one counts as a second. */
const SAME_SIGNAL_MS = 1_000;

const watching = process.argv.includes("--watch");
const OURS = ["Worker", "Gateway"];
const BOTH_SOURCES = [
  ...["config.ts", "limits.ts", "units.ts", "settings"],
  ...["providers", "store", "telemetry"],
];
const WORKER_SOURCES = [
  "worker.ts",
  "workflows",
  "machines",
  "activities",
  "temporal",
  ...BOTH_SOURCES,
];
const GATEWAY_SOURCES = [
  "api",
  "core",
  "portal",
  "temporal",
  "workflows",
  "machines",
  ...BOTH_SOURCES,
];

const { HOST = "127.0.0.1", PORT = "8080", TEMPORAL_NAMESPACE = "default" } = process.env;
/** Browsers offer no security keys at an address, so people get this machine's name. */
const url = `http://${["0.0.0.0", "127.0.0.1"].includes(HOST) ? "localhost" : HOST}:${PORT}`;
const probed = `http://${HOST === "0.0.0.0" ? "127.0.0.1" : HOST}:${PORT}`;
const report = reportSinceNow();
const closings: (() => Promise<void>)[] = [];
let stoppingSince: number | undefined;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stoppingSince === undefined) stop(0, `${signal}: stopping`);
    else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
  });
}
process.on("uncaughtException", fail);
// The terminal may be gone before this process is.
process.stdout.on("error", () => {});

await main().catch(fail);

async function main(): Promise<void> {
  const lock = await lockStack(dataFolder, url, report);
  process.on("exit", lock.release);
  const { DEMO_PASSWORD, ...secrets } = keptSecrets(dataFolder);
  const given = startSettings(secrets, url);
  await explained(
    `Port ${PORT} cannot be used: set PORT to a free one (PORT=8090 npm start)`,
    tryPort(Number(PORT), HOST),
  );
  const stage: Stage = {
    report,
    atStop: (close) => closings.push(close),
    launch: (program) => {
      const child = launch(program);
      lock.record(child);
      child.exited.then((reason) => {
        const why = `${child.name} ended with ${reason}. Its last lines:\n${child.tail()}`;
        if (child.isStopping()) return;
        // Code that is being written may fail; the next change starts it again.
        if (watching && OURS.includes(child.name)) report(why);
        else fail(new SetUpError(why));
      });
      return child;
    },
  };

  const redisUrl = given.REDIS_URL ?? (await embeddedRedis(stage));
  await explained("The Redis of REDIS_URL does not answer", pingRedis(redisUrl));
  const databaseUrl = given.DATABASE_URL ?? (await embeddedPostgres(stage));
  const { TEMPORAL_RETENTION_DAYS: days } = loadSettings(["TEMPORAL_RETENTION_DAYS"]);
  const owner = loadSettings(["DATABASE_OWNER_URL", "EVENTS_RETENTION_MONTHS"]);
  const prepare = (url: string) => prepareDatabase({ DATABASE_URL: url, ...owner });
  const temporal = given.TEMPORAL_ADDRESS
    ? { address: given.TEMPORAL_ADDRESS, ui: undefined }
    : await embeddedTemporal(stage, TEMPORAL_NAMESPACE, days);
  const password = given.DEMO_PASSWORD ?? DEMO_PASSWORD;

  report("Applying the database schema, the search attributes and the demo users");
  await explained("The database cannot be brought up to date", prepare(databaseUrl));
  const passwordOpens = await explained("The demo users", seed(databaseUrl, password));
  const env = {
    ...given,
    // Only the migration needs it.
    DATABASE_OWNER_URL: undefined,
    ...{ HOST, PORT, TEMPORAL_NAMESPACE },
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: temporal.address,
  };
  await explained(
    `The Temporal server at ${temporal.address} cannot be prepared`,
    prepareTemporal(temporalServer(loadSettings(TEMPORAL_SETTINGS, env)), TEMPORAL_NAMESPACE),
  );
  report("Starting the worker");
  let worker = await startWorker(stage, env);
  report("Starting the gateway");
  let gateway = await startGateway(stage, env, probed);
  if (watching) {
    const restarted: Restarted[] = [
      {
        name: "worker",
        sources: WORKER_SOURCES,
        restart: async () => {
          await worker.stop();
          worker = await startWorker(stage, env);
        },
      },
      {
        name: "gateway",
        sources: GATEWAY_SOURCES,
        restart: async () => {
          await gateway.stop();
          gateway = await startGateway(stage, env, probed);
        },
      },
    ];
    const stopWatching = restartOnChange(restarted, report);
    closings.push(async () => stopWatching());
  }
  const phone = hasOutbox(loadConfig(env));
  announce(
    { ui: temporal.ui, phone },
    passwordOpens ? password : "as it was set at an earlier start",
  );
}

async function seed(databaseUrl: string, password: string): Promise<boolean> {
  const database = connectDatabase(databaseUrl, { max: 1 });
  try {
    return await seedDemo(database.db, { password, at: new Date() });
  } finally {
    await database.close();
  }
}

function announce({ ui, phone }: { ui?: string; phone: boolean }, password: string): void {
  const lines = [
    ["Pages, to log in", url],
    ["API reference", `${url}/docs`],
    ...(ui ? [["Temporal UI", ui]] : []),
    ...(phone ? [["Development phone", `${url}/dev/phone`]] : []),
    ["Data and logs", dataFolder],
    ["Demo users", "admin (administrator), alice, bob, support (Support)"],
    ["Their password", password],
  ].map(([name = "", value]) => `  ${name.padEnd(18)} ${value}`);
  report("Ready");
  console.log(`\nSecond Step runs.\n\n${lines.join("\n")}\n\nCtrl-C stops all of it.\n`);
}

function fail(error: unknown): void {
  const message = error instanceof SetUpError ? error.message : (error as Error)?.stack;
  if (stoppingSince === undefined) stop(1, `${message ?? error}`);
}

async function stop(code: number, message: string): Promise<void> {
  stoppingSince = performance.now();
  (code === 0 ? console.log : console.error)(message);
  await stopAll();
  for (const close of closings) await close();
  process.exit(code);
}
