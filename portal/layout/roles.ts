import type { CoreDeps } from "../../core/deps.ts";
import { requireRecentLogin } from "../../core/sessions/recent-login.ts";
import { requireRole } from "../../core/sessions/roles.ts";
import type { Role } from "../../store/postgres/schema.ts";
import type { PortalContext } from "./form.ts";
import type { Who } from "./layout.tsx";
import { signedIn } from "./session.ts";

/** The session of a user who has the role now. Throws `forbidden` beside what `signedIn` throws. */
export async function signedInAs(c: PortalContext, deps: CoreDeps, role: Role): Promise<Who> {
  const session = await signedIn(c, deps);
  const { username, lockedAt } = await requireRole(deps, session, role);
  return { username, session, locked: lockedAt !== null };
}

/** Like `signedInAs`, for a page whose form needs a recent login. */
export async function recentlyLoggedInAs(
  c: PortalContext,
  deps: CoreDeps,
  role: Role,
): Promise<Who> {
  const who = await signedInAs(c, deps, role);
  await requireRecentLogin(deps, who.session);
  return who;
}
