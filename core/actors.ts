import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import { OPERATOR_ID } from "../store/ids.ts";
import type { User } from "../store/postgres/schema.ts";
import type { Session } from "../store/redis/sessions/session-records.ts";
import { subjectOf, userEvent } from "./audit.ts";
import type { CoreDeps } from "./deps.ts";
import { requireStillLive } from "./sessions/live-session.ts";

/** Who acts, from where, and by which session. */
export type Actor = { actorId: string; origin: ClientInfo; session: Session | typeof OPERATOR_ID };

/** Requires that an actor with a session may still act. Throws as `requireStillLive`. */
export async function requireStillActing(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  { session }: Pick<Actor, "session">,
): Promise<void> {
  if (session !== OPERATOR_ID) await requireStillLive(deps, session);
}

/** An audit event of something that somebody did to a user. */
export function actorsEvent(
  deps: Pick<CoreDeps, "clock">,
  user: User,
  type: EventType,
  { actorId, origin }: Pick<Actor, "actorId" | "origin">,
  detail: Record<string, unknown> = {},
) {
  return { ...userEvent(deps, subjectOf(user), type, origin, detail), actorId };
}
