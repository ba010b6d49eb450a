import type { Command } from "commander";
import { loadConfig } from "../../config.ts";
import { connectDatabase } from "../../store/postgres/connect.ts";
import { resealSecrets } from "../../store/reseal.ts";

/** `keys reseal`: the second half of a key rotation. */
export function keyCommands(program: Command) {
  const keys = program.command("keys").description("the keys that seal secrets at rest");
  keys
    .command("reseal")
    .description(
      "seal every secret anew with the first of SEALING_KEYS, while the service runs. " +
        "First give gateway and worker the new key in front of the old one; drop the old one after.",
    )
    .action(async () => {
      const config = loadConfig();
      const database = connectDatabase(config.DATABASE_URL);
      try {
        const resealed = await resealSecrets(database.db, config.SEALING_KEYS);
        const key = config.SEALING_KEYS[0]?.id;
        const { json } = program.opts<{ json?: boolean }>();
        console.log(
          json
            ? JSON.stringify({ resealed, key })
            : `${resealed} secrets are now under key ${key}.`,
        );
      } finally {
        await database.close();
      }
    });
}
