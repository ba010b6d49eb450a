import type { CoreDeps } from "../../core/deps.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { beganSetUp, noteSetUp, setUpStoredFor } from "../../store/redis/sessions/set-ups.ts";

type OfUser = Pick<Session, "id" | "userId">;

/** Remembers that this session began the device's set-up. */
export const keepSetUp = ({ redis, config }: CoreDeps, { id, userId }: OfUser, deviceId: string) =>
  noteSetUp(redis, { userId, deviceId }, id, config.limits.setUpShownMs);

/**
 * Whether this session began the device's set-up, at most `limits.setUpShownMs` ago. Then its page
 * shows the secret or the whole number again. Any other session, such as a thief's, sees neither.
 */
export const isOwnSetUp = ({ redis }: CoreDeps, { id, userId }: OfUser, deviceId: string) =>
  beganSetUp(redis, { userId, deviceId }, id);

/** Until when `isOwnSetUp` is true for the session that began the set-up (ISO 8601). */
export async function ownSetUpUntil(
  { redis, clock }: CoreDeps,
  { userId }: OfUser,
  deviceId: string,
): Promise<string> {
  const leftMs = await setUpStoredFor(redis, { userId, deviceId });
  return new Date(clock.now() + leftMs).toISOString();
}
