import type { Role, User } from "../store/postgres/schema.ts";
import { getUser } from "../store/postgres/users.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problem.ts";

const WORDS: Record<Role, string> = {
  member: "members",
  administrator: "administrators",
  support: "Support",
};

/**
 * The session's user, who must have the role now: the session remembers the one of its login.
 * Throws `forbidden`.
 */
export async function requireRole(
  { db }: Pick<Deps, "db">,
  session: Session,
  role: Role,
): Promise<User> {
  const user = await getUser(db, session.userId);
  if (user?.role !== role) throw new Problem("forbidden", `This page is for ${WORDS[role]}.`);
  return user;
}
