import { limitsOf } from "./limits.ts";
import "./plain-faults.ts";
import { checkEach, metaOf, type SettingState } from "./settings/check.ts";
import { type Environment, environment, type SettingName } from "./settings/groups.ts";
import { checkTogether, valuesOf } from "./settings/together.ts";

export type { SettingName } from "./settings/groups.ts";
export type { SupportContact } from "./settings/kinds.ts";

/** The names of all settings. */
export const SETTINGS = Object.keys(environment.shape) as SettingName[];

/** The settings that can come from a file, such as DATABASE_URL from DATABASE_URL_FILE. */
export const SECRETS = SETTINGS.filter((name) => metaOf(environment.shape[name]).secret);

/** Every setting with its value, where that came from, and what is wrong. */
export function checkSettings(env: Given = process.env): Map<SettingName, SettingState> {
  const states = checkEach(environment.shape, env);
  checkTogether(states);
  return states as Map<SettingName, SettingState>;
}

type Given = Record<string, string | undefined>;

/** Throws an Error that lists every bad setting by name. */
function refuseFaults(states: Map<string, SettingState>): void {
  const faults = [...states].filter(([, { fault }]) => fault !== undefined);
  if (faults.length === 0) return;
  const lines = faults.map(([name, { fault }]) => `  ${name}: ${fault}`);
  throw new Error(
    `The configuration is not valid:\n${lines.join("\n")}\ndocs/configuration.md has every setting.`,
  );
}

/** Reads and checks the environment. Throws an Error that lists every bad variable by name. */
export function loadConfig(env: Given = process.env) {
  const states = checkSettings(env);
  refuseFaults(states);
  const settings = valuesOf(states) as Environment;
  return Object.freeze({ ...settings, limits: limitsOf(settings) });
}

/** Reads and checks only these settings, for a program that needs no others. Throws as loadConfig. */
export function loadSettings<N extends SettingName>(names: readonly N[], env: Given = process.env) {
  const shape = Object.fromEntries(names.map((name) => [name, environment.shape[name]]));
  const states = checkEach(shape, env);
  checkTogether(states);
  refuseFaults(states);
  return valuesOf(states) as Pick<Environment, N>;
}

/** What `load` gives. If it refuses the settings, says why without a stack trace and ends. */
export function orExit<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

export type Config = ReturnType<typeof loadConfig>;
export type Limits = Config["limits"];

/** Returns the time in epoch ms. Only entry points use the machine's clock. */
export type Clock = { now(): number };

/**
 * Limits the Rust core of Temporal's SDK to one thread, unless the environment says otherwise. One
 * is enough: extra idle threads only take CPU time from busy ones. Tokio reads only the
 * environment.
 */
export function limitTemporalCore(): void {
  process.env.TOKIO_WORKER_THREADS ??= "1";
}
