import type { Command } from "commander";
import type { CoreDeps } from "../../core/deps.ts";
import { makeApiKey, revokeApiKey } from "../../core/login/api-keys.ts";
import { configuredMethods } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { User } from "../../store/postgres/schema.ts";
import { isRequired, requirementOf, roleNeedsMfa } from "../../store/requirement.ts";
import { SetUpError } from "../progress.ts";
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
        if (user.role === "support")
          throw new SetUpError(
            `${user.username} is a Support operator, who needs a second factor at each login. An API key cannot log in as one.`,
          );
        const warning = await warningFor(service, user);
        const apiKey = await makeApiKey(service, user, OPERATOR);
        const words = `The API key of ${user.username}, shown only once: ${apiKey}`;
        answer(command, { apiKey, ...(warning && { warning }) }, words);
        if (warning) console.error(`Warning: ${warning}`);
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

/** Why a login with the user's API key is refused; undefined if none is known. */
async function warningFor({ db, config, clock }: CoreDeps, user: User) {
  const profile = await getMfaProfile(db, user.id);
  if (!profile) return undefined;
  const { account, devices } = profile;
  const has = configuredMethods(devices).length > 0;
  if (!has && !isRequired(requirementOf(profile, config), clock.now())) return undefined;
  const why = `${user.username} ${has ? "has" : "needs"} a second factor`;
  if (roleNeedsMfa(user, config))
    return `${why}, and administrators of this service always need one. Logins with the key are refused.`;
  if (account.apiKeysBypassMfa) return undefined;
  return `${why}, so logins with the key are refused. To allow them: account set ${account.id} api-keys-bypass-mfa on`;
}
