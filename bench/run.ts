// npm run bench: measures logins against the real stack, every part a process of its own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { reportSinceNow } from "../scripts/progress.ts";
import { closedLoop, openLoop, percentile, type Run } from "./load.ts";
import { logins, sessionChecks } from "./logins.ts";
import { makePeople } from "./people.ts";
import { plot } from "./plot.ts";
import { startStack } from "./stack.ts";
import { usageOf } from "./usage.ts";

const { values } = parseArgs({
  options: {
    users: { type: "string", default: "4000" },
    seconds: { type: "string", default: "15" },
    out: { type: "string", default: join(dirname(fileURLToPath(import.meta.url)), "results") },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log("npm run bench -- [--users 4000] [--seconds 15 a load] [--out folder]");
  process.exit();
}
const seconds = Number(values.seconds);
const report = reportSinceNow((line) => console.error(line));
const stack = await startStack(report);
const results: Result[] = [];

type Result = ReturnType<typeof summarize>;

function summarize(name: string, run: Run, before: ReturnType<typeof usageOf>) {
  const after = usageOf(stack.processes());
  const { done, seconds, errors } = run;
  const cpuMs = Object.fromEntries(
    Object.entries(after).map(([part, { cpuMs }]) => [
      part,
      round((cpuMs - (before[part]?.cpuMs ?? 0)) / done),
    ]),
  );
  const memoryMb = Object.fromEntries(
    Object.entries(after).map(([part, { memoryMb }]) => [part, Math.round(memoryMb)]),
  );
  const latencyMs = Object.fromEntries(
    Object.entries(run.took).map(([call, took]) => [
      call,
      {
        p50: round(percentile(took, 50)),
        p95: round(percentile(took, 95)),
        p99: round(percentile(took, 99)),
      },
    ]),
  );
  return { name, perSecond: round(done / seconds), done, latencyMs, cpuMs, memoryMb, errors };
}

const round = (value: number) => Math.round(value * 10) / 10;

async function measure(name: string, load: () => Promise<Run>) {
  report(name);
  const before = usageOf(stack.processes());
  const result = summarize(name, await load(), before);
  results.push(result);
  console.log(
    `${name.padEnd(34)} ${String(result.perSecond).padStart(8)}/s  ${Object.entries(
      result.latencyMs,
    )
      .map(([call, { p50, p95, p99 }]) => `${call} ${p50}/${p95}/${p99} ms`)
      .join("  ")}`,
  );
  console.log(`${" ".repeat(34)} CPU ms each: ${JSON.stringify(result.cpuMs)}`);
  if (Object.keys(result.errors).length > 0)
    console.log(`  errors: ${JSON.stringify(result.errors)}`);
}

try {
  report(`Making ${values.users} users`);
  const people = await makePeople(stack.env, Number(values.users));
  const { work, tokens } = logins(stack.url, people);
  await closedLoop(4, 5, work);
  for (const clients of [1, 8, 32])
    await measure(`password + OTP, ${clients} clients`, () => closedLoop(clients, seconds, work));
  for (const rate of [10, 30])
    await measure(`password + OTP, ${rate} begun a second`, () => openLoop(rate, seconds, work));
  await measure("session check, 32 clients", () =>
    closedLoop(32, seconds, sessionChecks(stack.url, tokens)),
  );

  mkdirSync(values.out, { recursive: true });
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const file = join(values.out, "latest.json");
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`,
  );
  writeFileSync(join(values.out, "latest.svg"), plot(results));
  const baseline = join(dirname(fileURLToPath(import.meta.url)), "baseline.json");
  if (existsSync(baseline)) compare(JSON.parse(readFileSync(baseline, "utf8")).results);
  report(`Results are in ${file}`);
} finally {
  await stack.stop();
}

/** Ratios, since another machine's or hour's absolute figures say little. */
function compare(baseline: Result[]) {
  for (const { name, perSecond } of results) {
    const base = baseline.find((result) => result.name === name);
    if (base)
      console.log(`${name.padEnd(34)} ${(perSecond / base.perSecond).toFixed(2)} of the baseline`);
  }
}
