import type { Db } from "../connect.ts";
import { type KnownUser, knownUsers } from "../known-users.ts";
import type { AuditEvent, Role } from "../schema.ts";
import { pastRoles } from "./past-roles.ts";

type Done = Pick<AuditEvent, "id" | "actorId">;

/** A user who did something. `roleThen`: the role they had at the time, if it is known. */
export type Actor = KnownUser & { roleThen?: Role };

/**
 * Looks up who did each of these events; undefined if that is no user, or one that no longer
 * exists.
 */
export async function actorsOf(
  db: Db,
  done: readonly Done[],
): Promise<(event: Done) => Actor | undefined> {
  const known = await knownUsers(
    db,
    done.map(({ actorId }) => actorId),
  );
  const roleAt = await pastRoles(
    db,
    [...known].map(([id, { role }]) => ({ id, role })),
  );
  return ({ id, actorId }) => {
    const actor = actorId === null ? undefined : known.get(actorId);
    return actor && actorId !== null ? { ...actor, roleThen: roleAt(actorId, id) } : undefined;
  };
}

/**
 * Whether they are Support now or were at the time. If so, neither their name nor their location is
 * shown.
 */
export const isOfSupport = ({ role, roleThen }: Actor): boolean =>
  role === "support" || roleThen === "support";
