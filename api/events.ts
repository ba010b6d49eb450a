import type { Origin } from "../machines/methods.ts";
import { newId } from "../store/ids.ts";
import { type EventQuery, listEvents, type NewEvent } from "../store/postgres/events.ts";
import type { User } from "../store/postgres/schema.ts";
import type { Deps } from "./deps.ts";

/** Whom an event is about; it is they who did it. */
export type Subject = { userId: string; accountId: string };

/** A user as the subject of events, and as the owner of flows. */
export const subjectOf = ({ id: userId, accountId }: Pick<User, "id" | "accountId">): Subject => ({
  userId,
  accountId,
});

/** An audit event of what a user did over HTTP. */
export function userEvent(
  { clock }: Pick<Deps, "clock">,
  { userId, accountId }: Subject,
  type: string,
  origin: Origin,
  detail: Record<string, unknown> = {},
): NewEvent {
  return {
    key: `${type}/${newId()}`,
    at: new Date(clock.now()),
    type,
    accountId,
    userId,
    actorId: userId,
    ...origin,
    detail,
  };
}

/** A page of the audit trail as clients see it, newest first; `next` is the cursor of the next page. */
export async function activity({ db }: Pick<Deps, "db">, query: EventQuery) {
  const { events, next } = await listEvents(db, query);
  return {
    events: events.map(({ key: _key, at, ...event }) => ({ ...event, at: at.toISOString() })),
    next: next ?? null,
  };
}
