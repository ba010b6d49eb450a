import { and, asc, inArray } from "drizzle-orm";
import type { EventType } from "../../events/event-types.ts";
import type { Db } from "../connect.ts";
import { events, type Role, type User } from "../schema.ts";

/**
 * Answers which role one of these users had when an event was recorded, from the audit trail: the
 * event that added the user and each change of role tell it. Undefined if it is not known.
 */
export async function pastRoles(
  db: Db,
  people: readonly Pick<User, "id" | "role">[],
): Promise<(userId: string, eventId: number) => Role | undefined> {
  const ids = people.map(({ id }) => id);
  const facts = ids.length === 0 ? [] : await roleFacts(db, ids);
  return (userId, eventId) => {
    const own = facts.filter((fact) => fact.userId === userId);
    const [first] = own;
    if (!first) return people.find(({ id }) => id === userId)?.role;
    const last = own.findLast(({ id }) => id <= eventId);
    return (last ? last.detail.role : first.detail.from) as Role | undefined;
  };
}

const TELL_ROLES: EventType[] = ["user_added", "role_changed"];

const roleFacts = (db: Db, userIds: readonly string[]) =>
  db
    .select({ id: events.id, userId: events.userId, detail: events.detail })
    .from(events)
    .where(and(inArray(events.userId, [...userIds]), inArray(events.type, TELL_ROLES)))
    .orderBy(asc(events.id));
