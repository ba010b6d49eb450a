import { OPERATOR_ID } from "../../store/ids.ts";
import { type Actor, isOfSupport } from "../../store/postgres/actors.ts";
import type { ShownEvent } from "../../store/postgres/events.ts";

type Event = Pick<ShownEvent, "userId" | "actorId" | "detail">;

/** Who reads: users learn the roles of others, who looks after users learns the names of colleagues. */
export type Reads = { accountId: string; names: boolean };

/** Who did it, where that was not the user whom the event is about: "by Support"; else empty. */
export function byWhom(
  { userId, actorId, detail }: Event,
  actor: Actor | undefined,
  reads: Reads,
): string {
  // An administrator of another account is named by the event itself.
  if (actorId === userId || detail.by) return "";
  if (actorId === null) return "by the service";
  if (actorId === OPERATOR_ID) return "by an operator of the service";
  if (!actor) return "by a former user";
  if (isOfSupport(actor)) return "by Support";
  if (!actor.roleThen) return "by another user";
  if (actor.accountId !== reads.accountId) return `by an administrator of ${actor.accountName}`;
  return reads.names ? `by ${actor.username}` : "by an administrator of your account";
}
