import type { Context, Hono, MiddlewareHandler } from "hono";
import { bodyType } from "../../api/http/media-types.ts";
import type { SupportContact } from "../../config.ts";
import { Problem, type ProblemCode } from "../../core/problem.ts";
import type { Faults } from "./words.ts";

/** `flash` is shown on the next page; `goal` is where to go after a login. */
export type FlashKind = "flash" | "goal";

/** What a response leaves for the page that it redirects to. */
export type Flash = {
  /** The page's path and query. */
  at: string;
  /** A success, in words. */
  said?: string;
  faults?: Omit<Faults, "typed">;
  /** What was typed, without passwords and codes. */
  typed?: Record<string, string>;
  /** Whether some of it was too long to be kept. */
  cut?: boolean;
  /** Shown only once, and only in the session that asked for it. */
  secrets?: string[];
};

/** What the portal's handlers find in their context. */
export type PortalEnv = {
  Variables: {
    /** The service's name, for titles. */
    service: string;
    /** How to reach Support. */
    support?: SupportContact;
    /** The sent form's fields; empty for a GET. */
    form: URLSearchParams;
    /** The page of the sent form, and the field at which a refusal is shown. */
    formPage?: FormPage;
    /** The status of a refusal that is shown after a redirect. */
    refused?: number;
    /** What was wrong with the form that led here, and what was typed in it. */
    faults: Faults;
    /** The success of the form that led here, and the secrets to show once. */
    said?: string;
    secrets?: string[];
    /** Where this browser's user wanted to go, before a login. */
    goal?: Flash;
    /**
     * Leaves something for the page that this response redirects to, or for after a login. False if
     * some of what was typed was too long.
     */
    leave: (kind: FlashKind, left: Flash) => boolean;
    /** Makes the page that `left` is for, as the response to this request. */
    show: (left: Flash) => Promise<Response>;
    /** Middleware before each form's handler. */
    once: MiddlewareHandler<PortalEnv>;
    /** The user whose session begins with this response. */
    userId?: string;
  };
};

export type PortalContext = Context<PortalEnv>;

const FORM = "application/x-www-form-urlencoded";

/** Reads a sent form. Throws `unsupported_media_type` for any other body. */
export const readForm: MiddlewareHandler<PortalEnv> = async (c, next) => {
  const sent = c.req.method === "POST";
  if (sent && bodyType(c) !== FORM)
    throw new Problem("unsupported_media_type", "Send the form from its page.");
  c.set("form", new URLSearchParams(sent ? await c.req.text() : ""));
  return next();
};

/** The field at which a refusal is shown: for every refusal, or by its code. */
type About = string | Partial<Record<ProblemCode, string>>;

type FormOptions = {
  about?: About;
  /** What users should do after a 5xx, if it may have been done and repeating it does more. */
  unsure?: string;
};

type FormPage = FormOptions & { at: string };

/**
 * Handles the form that is sent to `path`. `at` is the form's page: a path with the same
 * parameters, or a function that returns it. A refusal is shown on that page. A GET of `path`
 * redirects to it.
 */
export function takeForm(
  app: Hono<PortalEnv>,
  path: string,
  { at, ...options }: FormOptions & { at: string | ((c: PortalContext) => string) },
  handle: (c: PortalContext) => Promise<Response>,
): void {
  const pageOf = (c: PortalContext) => (typeof at === "string" ? filled(at, c) : at(c));
  const begin: MiddlewareHandler<PortalEnv> = (c, next) => {
    c.set("formPage", { at: pageOf(c), ...options });
    return c.get("once")(c, next);
  };
  app.post(path, begin, handle);
  if (at !== path) app.get(path, (c) => c.redirect(pageOf(c), 303));
}

/** The page's address, with the parameters of this request. */
const filled = (at: string, c: PortalContext) =>
  at.replace(/:(\w+)/g, (_, name) => encodeURIComponent(c.req.param(name) ?? ""));

/** Fields that no page shows again. */
export const secretFields: ReadonlySet<string> = new Set([
  "once",
  "password",
  "currentPassword",
  "repeated",
  "passcode",
  "code",
]);

/** Fields that nobody types: pages put them into their forms. */
export const hiddenFields: ReadonlySet<string> = new Set([
  ...["to", "again", "with", "role", "sure"],
  ...["credential", "request"],
]);

/** A field as it was typed, without the spaces around it; empty where there is none. */
export const field = (c: PortalContext, name: string) => (c.get("form").get(name) ?? "").trim();

type Schema = {
  safeParse(typed: string): { success: boolean; error?: { issues: { message: string }[] } };
};

/** Throws `invalid_request` with a message for each field whose text does not match its schema. */
export function requireFit(...typed: (readonly [path: string, schema: Schema, typed: string])[]) {
  const faults = typed.flatMap(([path, schema, text]) => {
    const { error } = schema.safeParse(text);
    return error ? [[path, error.issues[0]?.message ?? ""]] : [];
  });
  if (faults.length > 0) throw badFields(Object.fromEntries(faults));
}

/** The refusal of a form, by field. */
export function badFields(fields: Record<string, string>): Problem {
  const errors = Object.entries(fields).map(([path, message]) => ({ path, message }));
  return new Problem("invalid_request", errors[0]?.message, { errors });
}

/** Whether a box was ticked. */
export const ticked = (c: PortalContext, name: string) => c.get("form").has(name);

/** None of our paths is longer. Each goes into a response header. */
const LONGEST_PATH = 300;

/**
 * The page of this site to go to, with its query, or the start page: never another site's address
 * (CWE-601).
 */
export function ownPath(address: string | undefined | null): string {
  const base = "https://own.invalid";
  // Refuses what a browser reads as another host, and characters that a browser drops.
  if (!address || !/^\/(?![/\\])[\x21-\x7e]*$/.test(address) || address.includes("\\")) return "/";
  if (address.length > LONGEST_PATH || !URL.canParse(address, base)) return "/";
  const { origin, pathname, search } = new URL(address, base);
  return origin === base && /^\/(?!\/)[\w\-/]*$/.test(pathname) ? pathname + search : "/";
}
