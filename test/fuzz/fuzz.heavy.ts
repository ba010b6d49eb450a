// Every caller, and sequences of calls. A run reports its FUZZ_SEED, which repeats the run.
import { everyCaller } from "./fuzz.ts";

const { FUZZ_SEED, FUZZ_EXAMPLES = "100" } = process.env;

everyCaller(
  ["nobody", "member", "administrator", "support"],
  [`--max-examples=${FUZZ_EXAMPLES}`, ...(FUZZ_SEED ? [`--seed=${FUZZ_SEED}`] : [])],
);
