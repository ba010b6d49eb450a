import { extname } from "node:path";
import { transformWithEsbuild } from "vite";
import type { Services } from "../../support/services.ts";
import type { Mutation } from "../mutation.ts";
import type { Copy } from "./copy.ts";
import { mistaken } from "./mistaken.ts";
import { type Failure, runVitest } from "./vitest-run.ts";

/**
 * What became of a mistake. `by` names the test that noticed it and its message, or says why the
 * row is not a mistake.
 */
export type Judgement = {
  mutation: Mutation;
  outcome: "noticed" | "survived" | "error";
  by: string;
  seconds: number;
};

/**
 * Errors of code that cannot run, including a Redis script: a test that fails by one has noticed
 * nothing. A JSON error does count: a refusal may have become a success without a body.
 */
const BROKEN = /^(ReferenceError|SyntaxError(?!.* JSON )|Error: Transform failed)|user_script/;

/**
 * Time-out errors: the machine may have been slow, or the code waits for ever. STACK_TRACE_ERROR is
 * vitest's own name for one.
 */
const LATE = /^(Error: (STACK_TRACE_ERROR|(Test|Hook) timed out in)|TimeoutError)/;

/**
 * Puts the mistake into the copy and runs the files that must notice it, in order, until one does.
 */
export async function judge(
  copy: Copy,
  mutation: Mutation,
  services: Services,
): Promise<Judgement> {
  const begun = performance.now();
  const judgement = (outcome: Judgement["outcome"], by: string) => {
    return { mutation, outcome, by, seconds: (performance.now() - begun) / 1000 };
  };
  try {
    const { file, noticedBy } = mutation;
    let text = "";
    const change = (whole: string) => {
      text = mistaken(mutation, whole);
      return text;
    };
    return await copy.with(file, change, async () => {
      if (/^\.tsx?$/.test(extname(file))) await transformWithEsbuild(text, file);
      let passed = 0;
      for (const each of noticedBy) {
        const run = await runVitest(copy.folder, [each], services);
        const failure = run.failures.find(({ of }) => of === "test") ?? run.failures[0];
        if (failure) return judgement(noticed(failure) ? "noticed" : "error", wordsOf(failure));
        if (!run.ended || run.passed === 0) return judgement("error", run.output.slice(-2000));
        passed += run.passed;
      }
      return judgement("survived", `${passed} tests passed`);
    });
  } catch (error) {
    return judgement("error", (error as Error).message);
  }
}

/**
 * Whether the failure is about the mistake. A file that fails before its tests has noticed nothing.
 */
function noticed({ of, why }: Failure): boolean {
  return of === "test" && !BROKEN.test(why) && !LATE.test(why);
}

const wordsOf = ({ name, why }: Failure) => `${name}: ${why.split("\n")[0]}`;

/** Judges each mistake, one at a time in each copy. Reports each as soon as it is judged. */
export async function judgeAll(
  copies: Copy[],
  mutations: Mutation[],
  services: Services,
  tell: (judgement: Judgement, done: number) => void,
): Promise<Judgement[]> {
  const open = mutations.entries();
  const judged: Judgement[] = [];
  const work = async (copy: Copy) => {
    for (const [, mutation] of open) {
      const judgement = await judge(copy, mutation, services);
      tell(judgement, judged.push(judgement));
    }
  };
  await Promise.all(copies.map(work));
  return judged;
}
