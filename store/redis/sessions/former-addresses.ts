import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** A change of a user's address, by the key of its event. */
type Change = { userId: string; eventKey: string };

/** Keeps the address that the change replaces for a week: it hears of the change, and stands nowhere else. */
export async function keepFormerAddress(
  redis: Redis,
  { userId, eventKey }: Change,
  address: string,
): Promise<void> {
  const expiration = { type: "PX", value: keep.formerAddress } as const;
  await redis.set(keys.formerAddress(userId, eventKey), address, { expiration });
}

/** The address that the change replaced; undefined where there was none, or it is forgotten. */
export async function formerAddress(
  redis: Redis,
  { userId, eventKey }: Change,
): Promise<string | undefined> {
  return (await redis.get(keys.formerAddress(userId, eventKey))) ?? undefined;
}
