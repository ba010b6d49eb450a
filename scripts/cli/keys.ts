import type { Command } from "commander";
import { countOldHashes } from "../../store/postgres/old-hashes.ts";
import { resealSecrets } from "../../store/reseal.ts";
import { answer } from "./answer.ts";
import { withStores } from "./service.ts";

/** `keys reseal` and `keys code-key`: the second half of a key rotation. */
export function keyCommands(program: Command) {
  const keys = program.command("keys").description("the keys that seal secrets and hash codes");
  keys
    .command("reseal")
    .description(
      "re-seal every secret with the first of SEALING_KEYS, while the service runs. " +
        "First put the new key in front of the old one for gateway and worker; remove the old one afterwards.",
    )
    .action(async (_options, command: Command) => {
      await withStores(async ({ db, config }) => {
        const resealed = await resealSecrets(db, config.SEALING_KEYS);
        const key = config.SEALING_KEYS[0]?.id;
        answer(command, { resealed, key }, `${resealed} secrets are now under key ${key}.`);
      });
    });

  keys
    .command("code-key")
    .description(
      "count the API keys and unused recovery codes that need an older key of CODE_KEY. " +
        "An API key moves to the first key when it is used; a recovery code stays under its own",
    )
    .action(async (_options, command: Command) => {
      await withStores(async ({ db, config }) => {
        const key = config.CODE_KEY[0]?.id ?? "";
        const old = await countOldHashes(db, key);
        const { apiKeys, recoveryCodes, users } = old;
        answer(
          command,
          { ...old, key },
          `${apiKeys} API keys, and ${recoveryCodes} recovery codes of ${users} users, need an older key.`,
        );
      });
    });
}
