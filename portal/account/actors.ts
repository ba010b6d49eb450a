import { OPERATOR_ID } from "../../store/ids.ts";
import { type Actor, isOfSupport } from "../../store/postgres/events/actors.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";

type Event = Pick<ShownEvent, "userId" | "actorId" | "detail">;

/**
 * Who reads. With `names` (for administrators and Support) colleagues are named; users see only
 * roles.
 */
export type Reads = { accountId: string; names: boolean };

/**
 * The actor in words, such as "by Support"; empty if the actor is the user whom the event is about.
 */
export function byWhom(
  { userId, actorId, detail }: Event,
  actor: Actor | undefined,
  reads: Reads,
): string {
  // An event with `by` already names the actor, an administrator of another account.
  if (actorId === userId || detail.by) return "";
  if (actorId === null) return "by the service";
  if (actorId === OPERATOR_ID) return "by an operator of the service";
  if (!actor) return "by a former user";
  if (isOfSupport(actor)) return "by Support";
  if (!actor.roleThen) return "by another user";
  if (actor.accountId !== reads.accountId) return `by an administrator of ${actor.accountName}`;
  return reads.names ? `by ${actor.username}` : "by an administrator of your account";
}
