import { z } from "zod";
import { metaOf, type Shape } from "./check.ts";

/** A setting as docs/configuration.md and `config check` tell of it. */
export type SettingDescription = {
  description: string;
  /** What it may be, if that is a range or a choice. */
  values?: string;
  unit?: string;
  /** Empty if there is none. */
  default: string;
  required: boolean;
  secret: boolean;
};

/** Describes each setting. `required` ones have no default. */
export function describeSettings(shape: Shape): Map<string, SettingDescription> {
  return new Map(Object.entries(shape).map(([name, schema]) => [name, describe(schema)]));
}

function describe(schema: z.ZodType): SettingDescription {
  const { description = "", unit, secret = false, development } = metaOf(schema);
  const unset = schema.safeParse(undefined);
  const standard = unset.success && unset.data !== undefined ? String(unset.data) : "";
  return {
    description,
    values: valuesOf(schema),
    unit,
    default: development ? `${development} in development` : standard,
    required: !unset.success,
    secret,
  };
}

function valuesOf(schema: z.ZodType): string | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
    return valuesOf(schema.def.innerType as z.ZodType);
  if (schema instanceof z.ZodNumber) return `${schema.minValue} to ${schema.maxValue}`;
  if (schema instanceof z.ZodEnum) return schema.options.join(", ");
  // The only kind of setting that is read as a boolean is z.stringbool().
  if (schema instanceof z.ZodPipe && schema.def.out instanceof z.ZodBoolean) return "true, false";
  return undefined;
}
