import type { Command } from "commander";
import { checkSettings, loadConfig, SETTINGS, type SettingName } from "../../config.ts";
import type { SettingState } from "../../settings/check.ts";
import { describeSettings } from "../../settings/describe.ts";
import { SETTING_GROUPS } from "../../settings/groups.ts";
import { SetUpError } from "../progress.ts";
import { answer, columns } from "./answer.ts";
import { configurationDocs } from "./config-docs.ts";
import { doubtsOf } from "./config-doubts.ts";
import { serviceEnvironment } from "./settings.ts";

/** How long to wait for a gateway, in ms. */
const PATIENCE_MS = 5_000;

const ABOUT = describeSettings(Object.assign({}, ...Object.values(SETTING_GROUPS)));

/** `config check`: the settings, and what is wrong or doubtful. `config docs`: what each is. */
export function configCommands(program: Command) {
  const group = program.command("config").description("the settings of the service");

  group
    .command("check")
    .description(
      "list every setting with its value, source, default and unit, and what is wrong or doubtful; " +
        "secrets are not shown",
    )
    .option(
      "--gateway <url>",
      "also ask this gateway whether its requests arrive as TRUSTED_PROXIES says",
    )
    .action(async ({ gateway }: { gateway?: string }, command: Command) => {
      const env = serviceEnvironment();
      const states = checkSettings(env);
      const valid = [...states.values()].every(({ fault }) => fault === undefined);
      const doubts = valid ? { ...doubtsOf(loadConfig(env), Date.now()) } : {};
      const seen = gateway === undefined ? [] : await doubtsSeenBy(gateway);
      if (seen.length > 0) doubts.TRUSTED_PROXIES = seen.join(" ");
      const settings = SETTINGS.map((name) => ({
        ...lineOf(name, states.get(name)),
        doubt: doubts[name],
      }));
      answer(command, { valid, settings }, wordsOf(settings));
      if (!valid) process.exitCode = 1;
    });

  group
    .command("docs")
    .description("print docs/configuration.md: what each setting is")
    .action((_options, command: Command) => {
      const text = configurationDocs();
      answer(command, { text }, text.trimEnd());
    });
}

type Line = ReturnType<typeof lineOf> & { doubt?: string };

function lineOf(name: SettingName, state: SettingState = { source: "not set" }) {
  const { secret = false, unit, default: standard } = ABOUT.get(name) ?? {};
  const { source, file, text, value, fault } = state;
  const set = value ?? text;
  return {
    setting: name,
    value: secret && set !== undefined ? "(set)" : shown(set),
    source: file ? `file ${file}` : source,
    default: standard || undefined,
    unit,
    fault,
  };
}

/** A table. Its last column says what is wrong or doubtful. */
const wordsOf = (settings: Line[]) =>
  columns(
    settings.map(({ fault, doubt, ...row }) => ({
      ...row,
      problem: fault ? `wrong: ${fault}` : doubt,
    })),
    "",
  );

function shown(value: unknown): unknown {
  // A contact is a link with a text, and the text says it all.
  if (typeof value === "object" && value !== null && "text" in value) return value.text;
  return value;
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
