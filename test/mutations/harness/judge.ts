import { extname } from "node:path";
import { transformWithEsbuild } from "vite";
import type { Services } from "../../support/services.ts";
import type { Mutation } from "../mutation.ts";
import type { Copy } from "./copy.ts";
import { mistaken } from "./mistaken.ts";
import { runVitest } from "./vitest-run.ts";

/** What became of a mistake; `by` names the test that noticed it and its words, or says why the row is no mistake. */
export type Judgement = {
  mutation: Mutation;
  outcome: "noticed" | "survived" | "error";
  by: string;
  seconds: number;
};

/** What code says that cannot run: a test that fails by it has noticed nothing. */
const BROKEN = /^(ReferenceError|SyntaxError|Error: Transform failed)/;

/** Makes the mistake in the copy and runs the files that must notice it. */
export async function judge(
  copy: Copy,
  mutation: Mutation,
  services: Services,
): Promise<Judgement> {
  const begun = performance.now();
  const told = (outcome: Judgement["outcome"], by: string) => {
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
      const { ended, passed, failures, output } = await runVitest(copy.folder, noticedBy, services);
      const failure = failures.find((each) => each.of === "test") ?? failures[0];
      if (!ended || (passed === 0 && !failure)) return told("error", output.slice(-2000));
      if (!failure) return told("survived", `${passed} tests passed`);
      const said = `${failure.name}: ${failure.why.split("\n")[0]}`;
      // A file that fell before its tests has noticed nothing either.
      if (failure.of === "file" || BROKEN.test(failure.why)) return told("error", said);
      return told("noticed", said);
    });
  } catch (error) {
    return told("error", (error as Error).message);
  }
}

/** Judges each mistake, in as many copies at once; tells of each as soon as it is judged. */
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
