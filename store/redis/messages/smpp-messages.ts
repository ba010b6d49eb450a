import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";

/** Stores for a day the reference of the message that an SMSC knows by its own ID. */
export async function rememberSmppMessage(
  redis: Redis,
  messageId: string,
  reference: string,
): Promise<void> {
  const expiration = { type: "PX", value: keep.delivery } as const;
  await redis.set(keys.smppMessage(plain(messageId)), reference, { expiration });
}

/** The reference of the message that an SMSC reports on; undefined if it is unknown. */
export async function findSmppMessage(
  redis: Redis,
  messageId: string,
): Promise<string | undefined> {
  for (const id of spellings(plain(messageId))) {
    const reference = await redis.get(keys.smppMessage(id));
    if (reference) return reference;
  }
  return undefined;
}

const plain = (messageId: string) => messageId.toLowerCase().replace(/^0+(?=.)/, "");

/**
 * Some SMSCs answer with an ID in hexadecimal and report on it in decimal, or the other way round.
 */
function spellings(id: string): string[] {
  return [
    id,
    ...(/^\d+$/.test(id) ? [BigInt(id).toString(16)] : []),
    ...(/^[0-9a-f]+$/.test(id) ? [BigInt(`0x${id}`).toString()] : []),
  ];
}
