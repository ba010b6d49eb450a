import type { Command } from "commander";
import { makeApiKey, revokeApiKey } from "../../core/login/api-keys.ts";
import { answer } from "./answer.ts";
import { userNamed } from "./named.ts";
import { OPERATOR, withService } from "./service.ts";

/** `api-key make|revoke`: the keys with which a user's programs log in to the Identity API. */
export function apiKeyCommands(program: Command) {
  const group = program
    .command("api-key")
    .description("the keys that programs log in with by the Identity API (docs/identity-v2.md)");

  group
    .command("make")
    .description(
      "create a key for a user, shown only once; the old key stops working and sessions end",
    )
    .argument("<user>", "user name or id")
    .action(async (name: string, _options, command: Command) => {
      await withService(async (service) => {
        const user = await userNamed(service.db, name);
        const apiKey = await makeApiKey(service, user, OPERATOR);
        const words = `The API key of ${user.username}, shown only once: ${apiKey}`;
        answer(command, { apiKey }, words);
      });
    });

  group
    .command("revoke")
    .description("remove a user's key; their sessions end")
    .argument("<user>", "user name or id")
    .action(async (name: string, _options, command: Command) => {
      await withService(async (service) => {
        const user = await userNamed(service.db, name);
        const done = await revokeApiKey(service, user, OPERATOR);
        const words = done.changed ? "no longer has an API key" : "had no API key";
        answer(command, done, `${user.username} ${words}; every session has ended.`);
      });
    });
}
