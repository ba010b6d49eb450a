// npm run bench: what logins, session checks and enrollments cost on the real stack.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { checkoutFolder } from "../scripts/folders.ts";
import { reportSinceNow, SetUpError } from "../scripts/progress.ts";
import { hashPassword, verifyPassword } from "../store/passwords.ts";
import { compare } from "./compare.ts";
import { writeBlock } from "./docs.ts";
import { type Floor, measureFloor } from "./floor.ts";
import { describeGrowth, fill, type Grown, measureGrowth } from "./growth.ts";
import { allLoads } from "./loads.ts";
import { openMeasuring, type Result } from "./measure.ts";
import { type Options, readOptions } from "./options.ts";
import { plot } from "./plot.ts";
import { profileLogins } from "./profile.ts";
import { describe, describeWrites, memoryOf, type RunReport } from "./report.ts";
import { medians, summarize } from "./rounds.ts";
import { describeScale } from "./scale.ts";
import { startStack } from "./stack.ts";
import { judge } from "./targets.ts";
import { usageOf } from "./usage.ts";

const BASELINE = join(import.meta.dirname, "baseline.json");
/** The page of docs/ for details and earlier runs. */
const LOG_PAGE = "performance-log.md";
const report = reportSinceNow((line) => console.error(line));

/**
 * Prints what was found and writes it to the folder of results; with --write-docs also to a page of
 * docs/.
 */
function keep({ out, writeDocs }: Options, name: string, text: string, page = "performance.md") {
  console.log(`\n${text}\n`);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.md`), `${text}\n`);
  if (writeDocs) writeBlock(page, name, text);
}

async function measureAll(options: Options): Promise<RunReport> {
  const { seconds, rounds, users, hash, rows, openChallenges, gateways, workers, temporal } =
    options;
  const loads = allLoads(options.clients).filter(({ name }) => name.includes(options.only));
  const [first] = loads;
  if (!first) throw new SetUpError(`No load is named ${options.only}`);
  const stack = await startStack(options, { report });
  try {
    const idleMb = memoryOf(usageOf(stack.processes()));
    await fill(stack, options, report);
    const measuring = await openMeasuring({ stack, users, hash, report });
    await measuring.warmUp(first);
    const measured: Result[][] = loads.map(() => []);
    const floors: Floor[] = [];
    for (let round = 1; round <= rounds; round++) {
      report(`Round ${round} of ${rounds}`);
      report("A bare workflow");
      floors.push(await measureFloor(stack, seconds));
      for (const [index, load] of loads.entries())
        measured[index]?.push(await measuring.measure(load, seconds));
    }
    measuring.close();
    const results = measured.map(summarize);
    const settings = {
      seconds,
      rounds,
      users,
      gateways,
      gatewayWeight: stack.gatewayWeight,
      workers,
      temporal,
      hash,
      rows,
      openChallenges,
    };
    return {
      at: new Date().toISOString(),
      machine: {
        cpus: cpus().length,
        model: cpus()[0]?.model ?? "unknown",
        memoryGb: Math.round(totalmem() / 2 ** 30),
        node: process.version,
      },
      ...{ settings, hashMs: await hashCost(), workerReadyS: stack.workerReadyS, idleMb },
      floor: medians(floors),
      results,
    };
  } finally {
    await stack.stop();
  }
}

/** CPU ms of one verification of a password. */
async function hashCost(): Promise<number> {
  const hash = await hashPassword("password");
  const times = 30;
  const before = process.cpuUsage();
  for (let n = 0; n < times; n++) await verifyPassword(hash, "password");
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / times;
}

/**
 * Writes the table after each row: all rows take most of an hour, and what has been measured is not
 * lost.
 */
async function keepGrowth(options: Options) {
  const grown: Grown[] = [];
  for await (const one of measureGrowth(options, report)) {
    grown.push(one);
    keep(options, "growth", describeGrowth(grown), LOG_PAGE);
  }
}

async function main(options: Options) {
  const { out, only, writeDocs } = options;
  if (options.growth) return keepGrowth(options);
  if (options.profile)
    return keep(options, "profile", await profileLogins(options, report), LOG_PAGE);

  const run = await measureAll(options);
  keep(options, "targets", judge(run));
  keep(options, "results", describe(run));
  keep(options, "writes", describeWrites(run), LOG_PAGE);
  const json = `${JSON.stringify(run, null, 2)}\n`;
  writeFileSync(join(out, "latest.json"), json);
  writeFileSync(join(out, "latest.svg"), plot(run.results));
  if (existsSync(BASELINE)) console.log(compare(run, JSON.parse(readFileSync(BASELINE, "utf8"))));
  if (only !== "") return;
  keep(options, "scale", describeScale(run), "scaling.md");
  if (!writeDocs) return;
  writeFileSync(BASELINE, json);
  copyFileSync(join(out, "latest.svg"), join(checkoutFolder, "docs", "logins.svg"));
}

// On an interrupt this process ends at once, and with it all that it has started.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => process.exit(1));
try {
  const options = readOptions();
  if (options) await main(options);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  // What has been started so far would keep the process alive.
  process.exit(1);
}
