// npm run cli -- <command>: what operators do from the command line, on the service's own settings.
import { Command } from "commander";
import { keyCommands } from "./cli/keys.ts";

const program = new Command("npm run cli --")
  .description("Second Step from the command line. It reads the same environment as the service.")
  .option("--json", "answer as JSON");
keyCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
