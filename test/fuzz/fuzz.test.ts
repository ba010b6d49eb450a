// The short form of fuzz.heavy.ts: the same checks, a few calls of each operation.
import { everyCaller } from "./fuzz.ts";

everyCaller(
  ["nobody", "administrator"],
  [...["--seed=1", "--max-examples=2"], "--phases=examples,coverage,fuzzing"],
);
