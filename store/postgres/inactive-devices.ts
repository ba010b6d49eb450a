import { and, eq, isNotNull } from "drizzle-orm";
import type { Method } from "../methods.ts";
import { type NewEvent, recordEvent } from "./events/events.ts";
import type { Held } from "./holding-user.ts";
import { devices, recoveryCodes, users } from "./schema.ts";

/** Which user, when, and the new default method, if it changes. */
type Change = { userId: string; at: Date; method?: Method };

/** Makes the user's inactive devices count again; false if there were none. */
export async function reactivateDevices(
  tx: Held,
  { userId, at, method }: Change,
  event: NewEvent,
): Promise<boolean> {
  const back = await tx
    .update(devices)
    .set({ verifiedAt: at, inactiveAt: null })
    .where(and(eq(devices.userId, userId), isNotNull(devices.inactiveAt)))
    .returning({ id: devices.id });
  if (method) await tx.update(users).set({ defaultMethod: method }).where(eq(users.id, userId));
  return back.length > 0 && recordEvent(tx, event);
}

/**
 * Makes the user's verified devices inactive and the recovery codes void; false if there were
 * none.
 */
export async function deactivateDevices(
  tx: Held,
  { userId, at }: Omit<Change, "method">,
  event: NewEvent,
): Promise<boolean> {
  const inactive = await tx
    .update(devices)
    .set({ verifiedAt: null, inactiveAt: at })
    .where(and(eq(devices.userId, userId), isNotNull(devices.verifiedAt)))
    .returning({ id: devices.id });
  await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
  return inactive.length > 0 && recordEvent(tx, event);
}
