import { configuredMethods, type Method } from "../../store/methods.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import { hasSecondFactor, type Session } from "../../store/redis/sessions/session-records.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/**
 * Requires a recent login: by a passkey alone, or by password and, if the user has a verified device,
 * a second factor. Throws `reauthentication_required`.
 */
export async function requireRecentLogin(
  deps: Pick<CoreDeps, "db" | "clock" | "config">,
  session: Session,
): Promise<void> {
  requireRecentLoginWith(deps, session, await methodsOf(deps, session));
}

/** As `requireRecentLogin`, with the user's configured methods, which the caller has read. */
export function requireRecentLoginWith(
  deps: Pick<CoreDeps, "clock" | "config">,
  session: Session,
  configured: readonly Method[],
): void {
  requireRecentProof(deps, session);
  if (configured.length > 0 && !hasSecondFactor(session)) throw reauthenticate();
}

/**
 * Requires a recent login by password, with or without a second factor, or by a passkey that its user
 * unlocked (RFC 8176 "user"), which is two factors in one. A program's API key does not prove that
 * its owner is there. Throws `reauthentication_required`.
 */
export function requireRecentProof(
  { clock, config }: Pick<CoreDeps, "clock" | "config">,
  { amr, authenticatedAt }: Session,
): void {
  const recent = clock.now() - authenticatedAt <= config.limits.session.recentLoginMs;
  if (!recent || !["pwd", "user"].some((proof) => amr.includes(proof))) throw reauthenticate();
}

/** The methods of which the session's user has a verified device. */
export async function methodsOf(
  { db }: Pick<CoreDeps, "db">,
  { userId }: Session,
): Promise<Method[]> {
  return configuredMethods(await listDevices(db, userId));
}

/** The problem that makes the client log in again. */
export const reauthenticate = () =>
  new Problem(
    "reauthentication_required",
    "For your security, log in again: with a passkey, or with your password and your second step.",
  );
