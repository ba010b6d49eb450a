import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { type Admits, sessionOf } from "../api/authenticate.ts";
import type { Deps } from "../api/deps.ts";
import { Problem } from "../api/problem.ts";
import { revokeSession, type Session } from "../store/redis/sessions.ts";

const NAME = "session";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The browser's session. A set-up session passes only where `setup` allows it. Throws the problems
 * `unauthenticated`, `session_expired`, `session_revoked` and `setup_only`.
 */
export async function signedIn(c: Context, deps: Deps, options: Admits = {}): Promise<Session> {
  const token = readToken(c, deps);
  if (!token) throw new Problem("unauthenticated", "Log in to continue.");
  return sessionOf(deps, token, options);
}

/** Makes the token the browser's session; one that it had before ends. */
export async function keepToken(c: Context, deps: Deps, token: string): Promise<void> {
  const before = await signedIn(c, deps, { setup: true }).catch(ifProblem);
  if (before) await endSession(deps, before);
  const common = { httpOnly: true, sameSite: "Lax", path: "/" } as const;
  if (isPlainLocal(c, deps)) setCookie(c, NAME, token, common);
  else setCookie(c, NAME, token, { ...common, secure: true, prefix: "host" });
}

/** Logs the browser out. Its cookie stays: it is what tells the login page why there is a login. */
export const endSession = ({ redis }: Deps, { userId, id }: Session) =>
  revokeSession(redis, { userId, sessionId: id, reason: "signed_out" });

/** The token in the browser's cookie, of whatever worth. */
export function readToken(c: Context, deps: Deps): string | undefined {
  return isPlainLocal(c, deps) ? getCookie(c, NAME) : getCookie(c, NAME, "host");
}

/**
 * Whether the cookie goes without `__Host-` and Secure: in development, on this machine alone, since
 * not every browser keeps a Secure cookie of http://localhost.
 */
function isPlainLocal(c: Context, { config }: Deps): boolean {
  const { protocol, hostname } = new URL(c.req.url);
  return config.NODE_ENV !== "production" && protocol === "http:" && LOOPBACK.has(hostname);
}

function ifProblem(error: unknown): undefined {
  if (!(error instanceof Problem) || error.status === 503) throw error;
}
