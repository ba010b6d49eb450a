import type { Command } from "commander";
import { resealSecrets } from "../../store/reseal.ts";
import { answer } from "./answer.ts";
import { withStores } from "./service.ts";

/** `keys reseal`: the second half of a key rotation. */
export function keyCommands(program: Command) {
  const keys = program.command("keys").description("the keys that seal secrets at rest");
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
}
