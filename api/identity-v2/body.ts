import type { Context } from "hono";
import type { z } from "zod";
import { Problem } from "../../core/problem.ts";
import { fieldsProblem } from "../http/problems.ts";

/** Reads the request's JSON body by the schema. Throws `malformed_json` and `invalid_request`. */
export async function readBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  const parsed = schema.safeParse(parse(await c.req.text()));
  if (!parsed.success) throw fieldsProblem(parsed.error.issues);
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("malformed_json");
  }
}
