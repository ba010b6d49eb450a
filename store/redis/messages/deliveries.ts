import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** Which flow sent a message, and which of its sendings that was. */
export type Delivery = { workflowId: string; sending: number };

/**
 * Keeps under the provider's reference whose message it is, for a day. A flow's newest message alone
 * counts: the code in the one before, also of the same sending, is void.
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

/** The delivery of that reference; undefined where it is unknown, or no longer its flow's newest. */
export async function findDelivery(redis: Redis, reference: string): Promise<Delivery | undefined> {
  const { workflowId, sending } = await redis.hGetAll(keys.delivery(reference));
  if (!workflowId) return undefined;
  const newest = await redis.get(keys.newestDelivery(workflowId));
  return newest === reference ? { workflowId, sending: Number(sending) } : undefined;
}
