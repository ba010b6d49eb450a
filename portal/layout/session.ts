import { getCookie, setCookie } from "hono/cookie";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { type Admits, sessionOf } from "../../core/sessions/live-session.ts";
import { requireRecentLogin } from "../../core/sessions/recent-login.ts";
import { endSession } from "../../core/sessions/sessions.ts";
import { ownerOf } from "../../store/ids.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { PortalContext } from "./form.ts";

const NAME = "session";
const TRIAL = "trial";
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The browser's session. A set-up session passes only where `setup` allows it. Throws the problems
 * `unauthenticated`, `session_expired`, `session_revoked` and `setup_only`.
 */
export async function signedIn(
  c: PortalContext,
  deps: CoreDeps,
  options: Admits = {},
): Promise<Session> {
  const token = readToken(c, deps);
  if (!token) throw new Problem("unauthenticated", "Log in to continue.");
  return sessionOf(deps, token, options);
}

/**
 * The session of a page whose form needs a recent login. The user logs in before the form opens.
 * Throws `reauthentication_required` beside what `signedIn` throws.
 */
export async function recentlyLoggedIn(
  c: PortalContext,
  deps: CoreDeps,
  options: Admits = {},
): Promise<Session> {
  const session = await signedIn(c, deps, options);
  await requireRecentLogin(deps, session);
  return session;
}

/** The browser's live session, if any. */
export const liveSession = (c: PortalContext, deps: CoreDeps): Promise<Session | undefined> =>
  signedIn(c, deps, { setup: true }).catch(ifProblem);

/** Makes the token the browser's session. The browser's earlier session ends. */
export async function keepToken(c: PortalContext, deps: CoreDeps, token: string): Promise<void> {
  const before = await liveSession(c, deps);
  if (before) await endSession(deps, before, "signed_out");
  setOwnCookie(c, deps, NAME, token);
  if (ownCookie(c, deps, TRIAL) !== undefined) setOwnCookie(c, deps, TRIAL, "", 0);
  c.set("userId", userOf(token));
}

/**
 * Sets a trial cookie if the browser has sent none of ours. The next form shows whether it was
 * kept.
 */
export function tryCookies(c: PortalContext, deps: CoreDeps): void {
  if (!keepsCookies(c, deps)) setOwnCookie(c, deps, TRIAL, "kept");
}

/** Whether a cookie of ours came back. */
export const keepsCookies = (c: PortalContext, deps: CoreDeps): boolean =>
  readToken(c, deps) !== undefined || ownCookie(c, deps, TRIAL) !== undefined;

/** The token in the browser's cookie, whether or not its session is live. */
export function readToken(c: PortalContext, deps: CoreDeps): string | undefined {
  return ownCookie(c, deps, NAME);
}

/** The user whom the browser's cookie names, whether or not the session is live. */
export function userOfCookie(c: PortalContext, deps: CoreDeps): string | undefined {
  return userOf(readToken(c, deps) ?? "");
}

/** The id of the session that the cookie names, live or not. */
export const sessionOfCookie = (c: PortalContext, deps: CoreDeps): string | undefined =>
  readToken(c, deps)?.split(".")[0];

const userOf = (token: string) => ownerOf(token.split(".")[0] ?? "");

/** One of our cookies. */
export function ownCookie(c: PortalContext, deps: CoreDeps, name: string): string | undefined {
  return isPlainLocal(c, deps) ? getCookie(c, name) : getCookie(c, name, "host");
}

/**
 * Sets a cookie that no script and no other site can read. It lasts `maxAge` seconds, or until the
 * browser is closed.
 */
export function setOwnCookie(
  c: PortalContext,
  deps: CoreDeps,
  name: string,
  value: string,
  maxAge?: number,
): void {
  const common = { httpOnly: true, sameSite: "Lax", path: "/", maxAge } as const;
  if (isPlainLocal(c, deps)) setCookie(c, name, value, common);
  else setCookie(c, name, value, { ...common, secure: true, prefix: "host" });
}

/**
 * Whether cookies go without `__Host-` and Secure. Only in development and on this machine, because
 * not every browser keeps a Secure cookie of http://localhost.
 */
function isPlainLocal(c: PortalContext, { config }: CoreDeps): boolean {
  const { protocol, hostname } = new URL(c.req.url);
  return config.NODE_ENV !== "production" && protocol === "http:" && LOOPBACK.has(hostname);
}

function ifProblem(error: unknown): undefined {
  if (!(error instanceof Problem) || error.status === 503) throw error;
}
