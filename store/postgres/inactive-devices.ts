import { and, eq, isNotNull } from "drizzle-orm";
import type { Method } from "../methods.ts";
import { type NewEvent, recordEvent } from "./events.ts";
import type { Held } from "./holding-user.ts";
import { devices, recoveryCodes, users } from "./schema.ts";

/** Which user, when, and the new default method, if it changes. */
type Change = { userId: string; at: Date; method?: Method };

/** Makes the user's devices that were put aside count again; false if there were none. */
export async function bringDevicesBack(
  tx: Held,
  { userId, at, method }: Change,
  event: NewEvent,
): Promise<boolean> {
  const back = await tx
    .update(devices)
    .set({ verifiedAt: at, asideAt: null })
    .where(and(eq(devices.userId, userId), isNotNull(devices.asideAt)))
    .returning({ id: devices.id });
  if (method) await tx.update(users).set({ defaultMethod: method }).where(eq(users.id, userId));
  return back.length > 0 && recordEvent(tx, event);
}

/**
 * Puts the user's verified devices aside and makes the recovery codes void; false if there were
 * none.
 */
export async function putDevicesAside(
  tx: Held,
  { userId, at }: Omit<Change, "method">,
  event: NewEvent,
): Promise<boolean> {
  const aside = await tx
    .update(devices)
    .set({ verifiedAt: null, asideAt: at })
    .where(and(eq(devices.userId, userId), isNotNull(devices.verifiedAt)))
    .returning({ id: devices.id });
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
  return aside.length > 0 && recordEvent(tx, event);
}
