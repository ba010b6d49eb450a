// npm run cli -- <command>: what operators do from the command line, on the service's own settings.
import { explain } from "./cli/explain.ts";
import { cliProgram } from "./cli/program.ts";

try {
  await cliProgram().parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
