import type { Command } from "commander";
import { countUsers } from "../../store/postgres/user-lists.ts";
import { answer, fields } from "./answer.ts";
import { accountNamed } from "./named.ts";
import { withStores } from "./service.ts";

/** `policy show`: changing it is for the account's administrators. */
export function policyCommands(program: Command) {
  const group = program
    .command("policy")
    .description("whether an account requires multi-factor authentication");

  group
    .command("show")
    .description("what the account requires, from when on, and how many users have set it up")
    .argument("<account>", "its name or id")
    .action(async (name: string, _options, command: Command) => {
      await withStores(async ({ db }) => {
        const account = await accountNamed(db, name);
        const { total, configured } = await countUsers(db, account.id);
        const policy = {
          account: account.name,
          requirement: account.requirement,
          enforceAfter: account.enforceAfter?.toISOString() ?? null,
          version: account.policyVersion,
          users: total,
          configured,
          toGo: total - configured,
        };
        answer(command, policy, fields(policy));
      });
    });
}
