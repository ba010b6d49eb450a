import type { Role, User } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import { hasSecondFactor, type Session } from "../../store/redis/sessions/session-records.ts";
import { roleNeedsMfa } from "../../store/requirement.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { reauthenticate } from "./recent-login.ts";

const WORDS: Record<Role, string> = {
  member: "members",
  administrator: "administrators",
  support: "Support",
};

/**
 * The session's user, who must have the role now: the session only knows the role of its login. If
 * the role requires a second factor, the session must have one. Throws `forbidden`,
 * `reauthentication_required`.
 */
export async function requireRole(
  { db, config }: Pick<CoreDeps, "db" | "config">,
  session: Session,
  role: Role,
): Promise<User> {
  const user = await getUser(db, session.userId);
  if (user?.role !== role) throw new Problem("forbidden", `This page is for ${WORDS[role]}.`);
  if (roleNeedsMfa(user, config) && !hasSecondFactor(session)) throw reauthenticate();
  return user;
}
