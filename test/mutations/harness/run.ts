// `npm run test:mutations`: puts each mistake of the tables into a copy of the project and runs the
// tests that must notice it. MUTATIONS=word selects the table with that name. If there is none, it
// selects the tables, files and mistakes that contain the word.
import { reportSinceNow, withHeartbeat } from "../../../scripts/progress.ts";
import { startServices } from "../../support/services.ts";
import type { Mutation } from "../mutation.ts";
import { copyProject } from "./copy.ts";
import { type Judgement, judgeAll } from "./judge.ts";
import { readTables, type Table } from "./tables.ts";
import { type Run, runVitest } from "./vitest-run.ts";

const LANES = 2;

const report = reportSinceNow();
const word = process.env.MUTATIONS ?? "";
const all = await readTables();
const named = all.filter(({ name }) => name === word);
const tables = named.length > 0 ? named : all.map(withWord);
const mutations = tables.flatMap((table) => table.mutations);
if (mutations.length === 0) throw new Error(`There is no mistake with "${word}"`);

const { services, stop } = await startServices();
const copies = await Promise.all(Array.from({ length: LANES }, copyProject));
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)));
try {
  process.exitCode = (await unmutatedIsGreen()) ? await run() : 1;
} finally {
  await end();
}

function withWord({ name, mutations }: Table): Table {
  const has = (each: Mutation) => `${name} ${each.file} ${each.mistake}`.includes(word);
  return { name, mutations: mutations.filter(has) };
}

async function end() {
  await Promise.all(copies.map(({ remove }) => remove()));
  await stop();
}

/** Whether the tests pass without a mistake: a test that always fails notices nothing. */
async function unmutatedIsGreen(): Promise<boolean> {
  const files = [...new Set(mutations.flatMap(({ noticedBy }) => noticedBy))].sort();
  report(`Without a mistake: ${files.length} test files`);
  const work = copies.map(({ folder }, lane) => {
    const own = files.filter((_, n) => n % copies.length === lane);
    return own.length === 0 ? undefined : runVitest(folder, own, services);
  });
  const runs = await withHeartbeat("Without a mistake", report, Promise.all(work));
  const red = runs.filter((each) => each && (!each.ended || each.failures.length > 0));
  for (const each of red) report(`Red without any mistake: ${each && reasons(each)}`);
  return red.length === 0;
}

function reasons({ failures, output }: Run): string {
  return failures.map(({ name, why }) => `${name}\n${why}`).join("\n") || output.slice(-4000);
}

async function run(): Promise<number> {
  const judged = await judgeAll(copies, mutations, services, (judgement, done) =>
    report(`${done}/${mutations.length} ${line(judgement)}`),
  );
  const count = (outcome: Judgement["outcome"], among = judged) =>
    among.filter((each) => each.outcome === outcome).length;
  console.log("\nmistakes  noticed  survived  errors  table");
  for (const table of tables.filter((each) => each.mutations.length > 0)) {
    const own = judged.filter(({ mutation }) => table.mutations.includes(mutation));
    const cells = [own.length, count("noticed", own), count("survived", own), count("error", own)];
    console.log(`${cells.map((n) => String(n).padStart(8)).join(" ")}  ${table.name}`);
  }
  const left = judged.filter(({ outcome }) => outcome !== "noticed");
  for (const each of left) console.log(`\n${line(each)}\n  in ${each.mutation.file}: ${each.by}`);
  console.log(
    `\n${count("noticed")} noticed, ${count("survived")} survived, ${count("error")} errors`,
  );
  return left.length === 0 ? 0 : 1;
}

function line({ outcome, mutation, by, seconds }: Judgement): string {
  const noticed = outcome === "noticed" ? `, by ${by}` : "";
  return `${outcome}: ${mutation.mistake} (${seconds.toFixed(1)} s${noticed})`;
}
