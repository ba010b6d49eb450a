import { type Command, InvalidArgumentError } from "commander";
import { reasonSchema } from "../../api/http/inputs.ts";
import { resetMultiFactor, unlock } from "../../core/support/support.ts";
import { answer } from "./answer.ts";
import { userNamed } from "./named.ts";
import { OPERATOR, withService } from "./service.ts";

const REASON = ["--reason <text>", "why, in 3 to 500 characters; kept in the audit trail"] as const;

/** `unlock` and `reset-mfa`: what Support does, from the command line. */
export function supportCommands(program: Command) {
  program
    .command("unlock")
    .description("unlock a user who entered too many wrong passcodes")
    .argument("<user>", "user name or id")
    .requiredOption(...REASON, reason)
    .action(async (name: string, options: { reason: string }, command: Command) => {
      await withService(async (service) => {
        const user = await userNamed(service.db, name);
        const done = await unlock(service, user, OPERATOR, options.reason);
        const words = done.changed ? "is unlocked" : "was not locked; nothing changed";
        answer(command, done, `${user.username} ${words}.`);
      });
    });

  program
    .command("reset-mfa")
    .description(
      "for a user who lost devices and recovery codes: remove all of them and end every session",
    )
    .argument("<user>", "user name or id")
    .requiredOption(...REASON, reason)
    .action(async (name: string, options: { reason: string }, command: Command) => {
      await withService(async (service) => {
        const user = await userNamed(service.db, name);
        const done = await resetMultiFactor(service, user, OPERATOR, options.reason);
        const words = done.changed ? "no longer has a device" : "had no device";
        answer(command, done, `${user.username} ${words}; every session has ended.`);
      });
    });
}

function reason(text: string): string {
  const parsed = reasonSchema.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "");
  return parsed.data;
}
