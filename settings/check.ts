import type { z } from "zod";
import { readSecretFiles } from "./secret-files.ts";

/** What a schema's `.meta()` says about its setting. */
export type SettingMeta = {
  description?: string;
  unit?: string;
  /** It is never shown, and can come from a file. */
  secret?: boolean;
  /** Said in addition to that it is missing. */
  missing?: string;
  /** The default where NODE_ENV is not production; in production it is required. */
  development?: string;
};

/** A setting, what it is set to, and by what. */
export type SettingState = {
  source: "environment" | "file" | "default" | "not set";
  /** The file that holds it. */
  file?: string;
  /** The text that was set, if any. */
  text?: string;
  /** What the service uses, if nothing is wrong. */
  value?: unknown;
  /** What is wrong; never with the text of a secret. */
  fault?: string;
};

export type Shape = Record<string, z.ZodType>;

/** What the setting's schema says about it. */
export const metaOf = (schema: z.ZodType): SettingMeta => schema.meta() ?? {};

/** Checks each of these settings alone. */
export function checkEach(
  shape: Shape,
  given: Record<string, string | undefined>,
): Map<string, SettingState> {
  const names = Object.keys(shape);
  const secrets = names.filter((name) => metaOf(shape[name] as z.ZodType).secret);
  const { env, files, faults } = readSecretFiles(given, secrets);
  const developing = env.NODE_ENV === "development" || env.NODE_ENV === "test";
  const check = (name: string): SettingState => {
    const schema = shape[name] as z.ZodType;
    const { development, missing } = metaOf(schema);
    const text = env[name];
    const file = files[name];
    const source = file ? "file" : text === undefined ? "default" : "environment";
    const state = { source, ...(file && { file }), ...(text !== undefined && { text }) } as const;
    if (faults[name]) return { ...state, fault: faults[name] };
    const parsed = schema.safeParse(text ?? (developing ? development : undefined));
    if (!parsed.success && text === undefined)
      return { source: "not set", fault: ["This is missing.", missing].filter(Boolean).join(" ") };
    if (!parsed.success) return { ...state, fault: parsed.error.issues[0]?.message };
    if (parsed.data === undefined) return { source: "not set" };
    return { ...state, value: parsed.data };
  };
  return new Map(names.map((name) => [name, check(name)]));
}
