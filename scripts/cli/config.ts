import type { Command } from "commander";
import { SETTINGS } from "../../config.ts";
import { SetUpError } from "../progress.ts";
import { answer, columns } from "./answer.ts";
import { doubtsOf } from "./config-doubts.ts";
import { serviceConfig } from "./settings.ts";

/** A setting that holds a secret is only shown as set. */
const SECRET = /_(URL|KEYS?|TOKEN|ENDPOINT)$/;
const NO_SECRET = new Set(["PUBLIC_URL", "TWILIO_BASE_URL"]);

/** How long to wait for a gateway, in ms. */
const PATIENCE_MS = 5_000;

/** `config check`: the settings, and what is doubtful about them. */
export function configCommands(program: Command) {
  program
    .command("config")
    .description("the settings of the service")
    .command("check")
    .description("list every setting with its doubts; secrets are not shown")
    .option(
      "--gateway <url>",
      "also ask this gateway whether its requests arrive as TRUSTED_PROXIES says",
    )
    .action(async ({ gateway }: { gateway?: string }, command: Command) => {
      const config = serviceConfig();
      const doubts = { ...doubtsOf(config) };
      const seen = gateway === undefined ? [] : await doubtsSeenBy(gateway);
      if (seen.length > 0) doubts.TRUSTED_PROXIES = seen.join(" ");
      const settings = SETTINGS.map((name) => ({
        setting: name,
        value: shown(name, config[name]),
        doubt: doubts[name],
      }));
      answer(command, { settings }, columns(settings, ""));
    });
}

function shown(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  // A contact is a link with a text, and the text says it all.
  if (typeof value === "object" && value !== null && "text" in value) return value.text;
  return SECRET.test(name) && !NO_SECRET.has(name) ? "(set)" : value;
}

/**
 * The doubts that the gateway's /health/dependencies tells about its requests. Throws a SetUpError if the
 * gateway does not answer.
 */
async function doubtsSeenBy(gateway: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(new URL("/health/dependencies", gateway), { signal });
    const { doubts = [] } = (await answer.json()) as { doubts?: { detail: string }[] };
    return doubts.map(({ detail }) => detail);
  } catch {
    throw new SetUpError(`No gateway answers at ${gateway}. Give its address: http://host:port`);
  }
}
