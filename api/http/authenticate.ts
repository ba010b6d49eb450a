import type { Context } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { type Admits, sessionOf } from "../../core/sessions/live-session.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";

/**
 * The live session behind `Authorization: Bearer`. A set-up session passes only where `setup`
 * allows it. Throws the problems `unauthenticated`, `session_expired`, `session_revoked` (with
 * `reason`) and `setup_only`.
 */
export async function authenticate(
  c: Context,
  deps: CoreDeps,
  options: Admits = {},
): Promise<Session> {
  return sessionOf(deps, bearerToken(c), options);
}

/** The token of `Authorization: Bearer` (RFC 6750 section 2.1). Throws `unauthenticated`. */
export function bearerToken(c: Context): string {
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (!token) throw new Problem("unauthenticated", "Send Authorization: Bearer <session token>.");
  return token;
}
