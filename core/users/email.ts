import type { ClientInfo } from "../../machines/methods.ts";
import { maskAddress, normalizeAddress } from "../../store/addresses.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getUser, setEmail } from "../../store/postgres/users.ts";
import { keys } from "../../store/redis/keys.ts";
import { keepFormerAddress } from "../../store/redis/sessions/former-addresses.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { DAY_MS } from "../../units.ts";
import { type Actor, requireStillActing } from "../actors.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, spendAll } from "../limits/spend-all.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";

/** The address for the user's notices. */
export async function emailOf(
  { db }: Pick<CoreDeps, "db">,
  userId: string,
): Promise<string | null> {
  return (await getUser(db, userId))?.email ?? null;
}

/**
 * Changes the address for the user's own notices; null for none. Throws
 * `reauthentication_required`, and `send_limit` for the eleventh change in a day: each change sends
 * a mail to an address that nobody has proven.
 */
export async function changeOwnEmail(
  deps: CoreDeps,
  session: Session,
  email: string | null,
  origin: ClientInfo,
): Promise<{ email: string | null; changed: boolean }> {
  await requireRecentLogin(deps, session);
  const { redis, clock, config } = deps;
  const { userId } = session;
  const address = email && normalizeAddress(email);
  if (address === (await emailOf(deps, userId))) return { email: address, changed: false };
  const rules = [{ limit: config.limits.addressChangesPerDay, windowMs: DAY_MS }];
  const charge = { key: keys.addressChanges(userId), rules };
  const spent = await spendAll(redis, clock.now(), [charge], {
    code: "send_limit",
    detail: "You changed your address too often.",
  });
  const actor = { actorId: userId, origin, session };
  const changed = await payIfDone(spent, () => changeEmail(deps, session, address, actor));
  return { email: address, changed };
}

/**
 * Gives the user another address, or none. Answers false if nothing changed. The previous address
 * is told too, so it is stored separately before anything changes. The audit event masks both.
 */
export async function changeEmail(
  deps: Pick<CoreDeps, "db" | "redis" | "clock" | "config">,
  { userId, accountId }: Pick<Session, "userId" | "accountId">,
  email: string | null,
  { actorId, origin, session }: Actor,
): Promise<boolean> {
  const to = email && normalizeAddress(email);
  return holdingUser(deps.db, userId, async (tx) => {
    await requireStillActing({ ...deps, db: tx }, { session });
    const from = await emailOf({ db: tx }, userId);
    const masked = { from: from && maskAddress(from), to: to && maskAddress(to) };
    const event = userEvent(deps, { userId, accountId }, "email_changed", origin, masked);
    if (from && from !== to)
      await keepFormerAddress(deps.redis, { userId, eventKey: event.key }, from);
    return setEmail(tx, { userId, email: to }, { ...event, actorId });
  });
}
