import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** The flow that sent a message, and the number of its sending. */
export type Delivery = { workflowId: string; sending: number };

/**
 * Stores for a day which flow and sending a provider's reference belongs to. Only a flow's newest
 * message counts: the code in the previous one is void, even of the same sending.
 */
export async function rememberDelivery(
  redis: Redis,
  reference: string,
  { workflowId, sending }: Delivery,
): Promise<void> {
  const expiration = { type: "PX", value: keep.delivery } as const;
  const delivery = keys.delivery(reference);
  await redis
    .multi()
    .hSet(delivery, { workflowId, sending })
    .pExpire(delivery, keep.delivery)
    .exec();
  await redis.set(keys.newestDelivery(workflowId), reference, { expiration });
}

/** The delivery with this reference; undefined if it is unknown, or no longer its flow's newest. */
export async function findDelivery(redis: Redis, reference: string): Promise<Delivery | undefined> {
  const { workflowId, sending } = await redis.hGetAll(keys.delivery(reference));
  if (!workflowId) return undefined;
  const newest = await redis.get(keys.newestDelivery(workflowId));
  return newest === reference ? { workflowId, sending: Number(sending) } : undefined;
}
