import type { Command } from "commander";
import { SETTINGS } from "../../config.ts";
import { SetUpError } from "../progress.ts";
import { answer, columns } from "./answer.ts";
import { doubtsOf } from "./config-doubts.ts";
import { serviceConfig } from "./settings.ts";

/** What holds a secret is shown to be set, and no more. */
const SECRET = /_(URL|KEYS?|TOKEN|ENDPOINT)$/;
const NO_SECRET = new Set(["PUBLIC_URL", "TWILIO_BASE_URL"]);

/** How long a gateway is waited for, in ms. */
const PATIENCE_MS = 5_000;

/** `config check`: the settings, and what is doubtful about them. */
export function configCommands(program: Command) {
  program
    .command("config")
    .description("the settings of the service")
    .command("check")
    .description("list every setting, and say what is doubtful; secrets are not shown")
    .option(
      "--gateway <url>",
      "ask this gateway, too, whether its requests come as TRUSTED_PROXIES says",
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
  // A contact is a link with its words, which say it all.
  if (typeof value === "object" && value !== null && "text" in value) return value.text;
  return SECRET.test(name) && !NO_SECRET.has(name) ? "(set)" : value;
}

/** What the gateway's readiness says of the requests that it gets. Throws a SetUpError where it does not answer. */
async function doubtsSeenBy(gateway: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(new URL("/readyz", gateway), { signal });
    const { doubts = [] } = (await answer.json()) as { doubts?: { detail: string }[] };
    return doubts.map(({ detail }) => detail);
  } catch {
    throw new SetUpError(`No gateway answers at ${gateway}. Give its address: http://host:port`);
  }
}
