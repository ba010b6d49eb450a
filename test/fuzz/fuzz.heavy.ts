// Every caller, and sequences of calls. FUZZ_SEED, which the report of a run tells, repeats it.
import { everyCaller } from "./fuzz.ts";

const { FUZZ_SEED, FUZZ_EXAMPLES = "100" } = process.env;

everyCaller(
  ["nobody", "member", "administrator", "support"],
  [`--max-examples=${FUZZ_EXAMPLES}`, ...(FUZZ_SEED ? [`--seed=${FUZZ_SEED}`] : [])],
);
