import type { Context, MiddlewareHandler } from "hono";
import { Problem } from "../api/problem.ts";

/** What the portal's handlers find in their context. */
export type PortalEnv = {
  Variables: {
    /** The service's name, for titles. */
    service: string;
    /** The sent form's fields; empty for a GET. */
    form: URLSearchParams;
    /** Where a repeated sending of the same form is led instead of to its answer. */
    onRepeat?: string;
  };
};

export type PortalContext = Context<PortalEnv>;

const FORM = "application/x-www-form-urlencoded";

/** Reads a sent form. Throws `unsupported_media_type` for any other body. */
export const readForm: MiddlewareHandler<PortalEnv> = async (c, next) => {
  const sent = c.req.method === "POST";
  if (sent && !c.req.header("content-type")?.toLowerCase().startsWith(FORM))
    throw new Problem("unsupported_media_type", "Send the form from its page.");
  c.set("form", new URLSearchParams(sent ? await c.req.text() : ""));
  return next();
};

/** A field as it was typed, without the spaces around it; empty where there is none. */
export const field = (c: PortalContext, name: string) => (c.get("form").get(name) ?? "").trim();

type Schema = {
  safeParse(typed: string): { success: boolean; error?: { issues: { message: string }[] } };
};

/** Throws `invalid_request` at the field when what was typed does not fit. */
export function requireFit(path: string, schema: Schema, typed: string) {
  const { success, error } = schema.safeParse(typed);
  if (success) return;
  const message = error?.issues[0]?.message ?? "";
  throw new Problem("invalid_request", message, { errors: [{ path, message }] });
}

/** Whether a box was ticked. */
export const ticked = (c: PortalContext, name: string) => c.get("form").has(name);

/** The path of this site to go to, or the start page: never another site's address. */
export function ownPath(path: string | undefined | null): string {
  return path && /^\/(?!\/)[\w\-/]*$/.test(path) ? path : "/";
}
