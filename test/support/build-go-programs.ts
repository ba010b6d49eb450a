// Builds what tests need of Go.
import { GO_PROGRAMS, goProgram } from "./go-programs.ts";

for (const source of Object.values(GO_PROGRAMS)) await goProgram(source);
