// npm run cli -- <command>: the commands for operators, with the service's own settings.
import { explain } from "./cli/explain.ts";
import { cliProgram } from "./cli/program.ts";

try {
  await cliProgram().parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
