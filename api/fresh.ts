import { configuredMethods, type Method } from "../store/methods.ts";
import { listDevices } from "../store/postgres/devices.ts";
import type { Session } from "../store/redis/sessions.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problem.ts";

/**
 * Requires that the user authenticated lately and with a second factor where one is configured.
 * Throws `reauthentication_required`.
 */
export async function requireFresh(
  deps: Pick<Deps, "db" | "clock" | "config">,
  session: Session,
): Promise<void> {
  requireFreshWith(deps, session, await methodsOf(deps, session));
}

/** The same for a user whose configured methods are known already. */
export function requireFreshWith(
  { clock, config }: Pick<Deps, "clock" | "config">,
  session: Session,
  configured: readonly Method[],
): void {
  const recent = clock.now() - session.authenticatedAt <= config.limits.session.freshMs;
  if (!recent) throw reauthenticate();
  requireComplete(session, configured);
}

/**
 * Requires that there was a second factor where one is configured, at whatever time. Throws
 * `reauthentication_required`.
 */
export function requireComplete(session: Session, configured: readonly Method[]): void {
  if (configured.length > 0 && !session.amr.includes("mfa")) throw reauthenticate();
}

/** The methods the session's user has a verified device of. */
export async function methodsOf({ db }: Pick<Deps, "db">, { userId }: Session): Promise<Method[]> {
  return configuredMethods(await listDevices(db, userId));
}

/** What leads to a new login. */
export const reauthenticate = () =>
  new Problem(
    "reauthentication_required",
    "For your security, log in again with every factor you have.",
  );
