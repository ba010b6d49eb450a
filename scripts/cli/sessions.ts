import type { Command } from "commander";
import { endEverySession } from "../../store/generations/generations.ts";
import { answer } from "./answer.ts";
import { withService } from "./service.ts";

/** `sessions end-all`. */
export function sessionCommands(program: Command) {
  program
    .command("sessions")
    .description("the sessions of all users")
    .command("end-all")
    .description(
      "log out every user of the service and end every login under way, as after a restore of both stores",
    )
    .action((_options, command: Command) =>
      withService(async (stores) => {
        await endEverySession(stores);
        answer(command, { ended: true }, "Everybody is logged out within a second.");
      }),
    );
}
