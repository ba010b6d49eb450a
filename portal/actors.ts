import { OPERATOR_ID } from "../store/ids.ts";
import type { ShownEvent } from "../store/postgres/events.ts";
import type { KnownUser } from "../store/postgres/user-lists.ts";

type Event = Pick<ShownEvent, "userId" | "actorId" | "detail">;
export type Known = ReadonlyMap<string, KnownUser>;

/** Who reads: users learn the roles of others, who looks after users learns the names of colleagues. */
export type Reads = { accountId: string; names: boolean };

/** The ids of the users whom the events name. */
export const idsOf = (events: readonly Event[]) =>
  events.flatMap(({ userId, actorId }) => [userId, actorId]);

/** Who did it, where that was not the user whom the event is about: "by Support"; else empty. */
export function byWhom({ userId, actorId, detail }: Event, known: Known, reads: Reads): string {
  // An administrator of another account is named by the event itself.
  if (actorId === userId || detail.by) return "";
  if (actorId === null) return "by the service";
  if (actorId === OPERATOR_ID) return "by an operator of the service";
  const actor = known.get(actorId);
  if (!actor) return "by a former user";
  if (actor.role === "support") return "by Support";
  if (actor.accountId !== reads.accountId) return `by an administrator of ${actor.accountName}`;
  return reads.names ? `by ${actor.username}` : "by an administrator of your account";
}
