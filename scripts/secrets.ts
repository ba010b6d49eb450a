import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Environment variables that the embedded stack makes up if they are not set. */
export type Secrets = { SEALING_KEYS: string; CODE_KEY: string; DEMO_PASSWORD: string };

/**
 * The secrets of the embedded stack: made once, and kept in its data folder, for its owner only.
 */
export function keptSecrets(folder: string): Secrets {
  const file = join(folder, "secrets.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Secrets;
  const secrets: Secrets = {
    SEALING_KEYS: `first:${randomBytes(32).toString("base64")}`,
    CODE_KEY: randomBytes(32).toString("base64"),
    DEMO_PASSWORD: randomBytes(12).toString("base64url"),
  };
  // Whole or not at all: half a key file would make the data unreadable.
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return secrets;
}
