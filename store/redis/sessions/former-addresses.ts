import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** A change of a user's address, identified by the key of its event. */
type Change = { userId: string; eventKey: string };

/** Stores the previous address for a week, and nowhere else, to tell it of the change. */
export async function keepFormerAddress(
  redis: Redis,
  { userId, eventKey }: Change,
  address: string,
): Promise<void> {
  const expiration = { type: "PX", value: keep.formerAddress } as const;
  await redis.set(keys.formerAddress(userId, eventKey), address, { expiration });
}

/** The previous address; undefined if there was none, or it is no longer stored. */
export async function formerAddress(
  redis: Redis,
  { userId, eventKey }: Change,
): Promise<string | undefined> {
  return (await redis.get(keys.formerAddress(userId, eventKey))) ?? undefined;
}
