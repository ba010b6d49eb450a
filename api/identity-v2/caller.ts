import type { Context } from "hono";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { type Admits, sessionOf } from "../../core/sessions/live-session.ts";
import { requireRecentLogin } from "../../core/sessions/recent-login.ts";
import { requireRole } from "../../core/sessions/roles.ts";
import { isId } from "../../store/ids.ts";
import type { User } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";

/** The live session behind `X-Auth-Token`. Throws the problems of `sessionOf`. */
export async function callerOf(c: Context, deps: CoreDeps, admits: Admits = {}): Promise<Session> {
  const token = c.req.header("x-auth-token");
  if (!token) throw new Problem("unauthenticated", "Send your token as X-Auth-Token.");
  return sessionOf(deps, token, admits);
}

/** A parameter of the path. */
export const param = (c: Context, name: string): string => c.req.param(name) ?? "";

/** Whether the path names the caller's own user. */
export const isOwn = (c: Context, { userId }: Session) => param(c, "userId") === userId;

/**
 * The caller, if the path names their own user; a set-up token is enough. Throws `forbidden` on any
 * other path, whether or not it names an existing user.
 */
export async function callerOnOwnPath(c: Context, deps: CoreDeps): Promise<Session> {
  const session = await callerOf(c, deps, { setup: true });
  if (!isOwn(c, session))
    throw new Problem("forbidden", "Users can only do this themselves, on their own path.");
  return session;
}

/**
 * The caller, an administrator, and the other user of the same domain whom the path names. Throws
 * `forbidden`, `user_not_found`, `reauthentication_required`.
 */
export async function callerOnOthersPath(
  c: Context,
  deps: CoreDeps,
): Promise<{ session: Session; user: User }> {
  const session = await callerOf(c, deps);
  const user = await userOfDomain(deps, session, param(c, "userId"));
  if (user.role === "support")
    throw new Problem("forbidden", "A Support operator cannot be changed here.");
  await requireRecentLogin(deps, session);
  return { session, user };
}

/** A user of the domain that the caller administers. Throws `forbidden`, `user_not_found`. */
export async function userOfDomain(
  deps: CoreDeps,
  session: Session,
  userId: string,
): Promise<User> {
  await requireRole(deps, session, "administrator");
  const user = isId(userId) ? await getUser(deps.db, userId) : undefined;
  if (user?.accountId !== session.accountId) throw noSuchUser();
  return user;
}

export const noSuchUser = () =>
  new Problem("user_not_found", "Your domain has no user with this ID.");
