import { loadConfig, SECRETS } from "../config.ts";
import { readSecretFiles } from "../settings/secret-files.ts";
import { SetUpError } from "./progress.ts";

/** What a demo has if it is not set: no message leaves the machine. */
const DEMO = {
  NODE_ENV: "development",
  SMS_GATEWAY: "outbox",
  // No balancer stands in front, so nothing has to be waited for at the end.
  DRAIN_SECONDS: "0",
  /** The way to Support for locked users. */
  SUPPORT_CONTACT:
    "log in as the demo user support, who can unlock and reset users, or run: npm run cli -- --help",
};

/** Security keys work in the browser of this machine, unless settings name another address. */
const keysAt = (origin: string) => ({ WEBAUTHN_RP_ID: "localhost", WEBAUTHN_ORIGINS: origin });

const OWN_ADDRESS = ["PUBLIC_URL", "WEBAUTHN_RP_ID", "WEBAUTHN_ORIGINS"];

/** In place of servers that are not started yet. */
const NOWHERE = {
  DATABASE_URL: "postgres://nowhere",
  REDIS_URL: "redis://nowhere",
  TEMPORAL_ADDRESS: "nowhere",
};

/**
 * The environment of the stack's gateway and worker, but for the servers that the stack starts.
 * `url`: where its pages are. Secrets of files are read. Throws a SetUpError that names each bad
 * setting, before anything starts.
 */
export function startSettings(
  secrets: Record<string, string>,
  url: string,
): Record<string, string | undefined> {
  const { env: own, faults } = readSecretFiles(process.env, SECRETS);
  const [fault] = Object.values(faults);
  if (fault) throw new SetUpError(fault);
  const isLocal = new URL(url).hostname === "localhost" && !OWN_ADDRESS.some((name) => own[name]);
  const demo = { ...DEMO, ...(isLocal && keysAt(url)) };
  const env = { ...(own.NODE_ENV === "production" ? {} : demo), ...secrets, ...own };
  try {
    loadConfig({ ...NOWHERE, ...env });
  } catch (error) {
    throw new SetUpError(error instanceof Error ? error.message : String(error));
  }
  return env;
}
