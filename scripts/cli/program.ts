import { Command } from "commander";
import { accountCommands } from "./accounts.ts";
import { apiKeyCommands } from "./api-keys.ts";
import { configCommands } from "./config.ts";
import { eventCommands } from "./events.ts";
import { keyCommands } from "./keys.ts";
import { policyCommands } from "./policy.ts";
import { sessionCommands } from "./sessions.ts";
import { sqlCommand } from "./sql.ts";
import { supportCommands } from "./support.ts";
import { userCommands } from "./users.ts";
import { workerCommands } from "./workers.ts";

/** Every command, with the words that `--help` prints. */
export function cliProgram(): Command {
  const program = new Command("cli")
    .description(
      "Second Step from the command line. With DATABASE_URL set it reads the same environment as the " +
        "service; without, it works on the stack that npm start runs on this machine (DATA_DIR).",
    )
    .option("--json", "answer as one line of JSON")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(add --help to see the options)");
  accountCommands(program);
  userCommands(program);
  apiKeyCommands(program);
  supportCommands(program);
  policyCommands(program);
  eventCommands(program);
  sqlCommand(program);
  configCommands(program);
  keyCommands(program);
  sessionCommands(program);
  workerCommands(program);
  return program;
}
