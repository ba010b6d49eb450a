import type { ClientInfo } from "../../machines/methods.ts";
import { configuredMethods, type Method } from "../../store/methods.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { deactivateDevices, reactivateDevices } from "../../store/postgres/inactive-devices.ts";
import { getMfaProfile, type MfaProfile } from "../../store/postgres/profiles.ts";
import { withdrawChallenges } from "../../store/redis/second-step/challenges.ts";
import { hasSecondFactor, type Session } from "../../store/redis/sessions/session-records.ts";
import { isRequired, requirementOf, whoRequires } from "../../store/requirement.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLoginWith, requireRecentProof } from "../sessions/recent-login.ts";
import { endSessions } from "../sessions/sessions.ts";
import { changeDefaultMethod } from "./default-method.ts";
import { removeAllDevices } from "./removal.ts";

/**
 * Turns multi-factor authentication on by an explicit call: inactive devices count from now on,
 * and every session ends. If no device was inactive, it has been on since the first device was
 * verified, and only the default method is set. Throws `method_not_configured`,
 * `too_many_requests`, `reauthentication_required`.
 */
export async function enableMultiFactor(
  deps: CoreDeps,
  session: Session,
  method: Method | undefined,
  origin: ClientInfo,
): Promise<void> {
  requireRecentProof(deps, session);
  const { userId } = session;
  const event = userEvent(deps, session, "multi_factor_switched_on", origin);
  const reactivate = () =>
    holdingUser(deps.db, userId, async (tx) => {
      const { devices } = await profileOf({ db: tx }, session);
      const inactive = devices.filter(({ inactiveAt }) => inactiveAt !== null);
      const configured = configuredMethods(devices);
      if (configured.length === 0 && inactive.length === 0) throw notConfigured();
      if (inactive.length === 0) return false;
      if (method && !configured.includes(method) && !inactive.some(({ type }) => type === method))
        throw notConfigured();
      requireRecentLoginWith(deps, session, configured);
      await requireStillLive({ ...deps, db: tx }, session);
      return reactivateDevices(tx, { userId, method, at: new Date(deps.clock.now()) }, event);
    });
  const isReactivated = await payForChange(deps, userId, reactivate);
  // After the commit: a login that saw no device has read the older revocation mark, so this ends
  // it. Also if an earlier request failed before it ended the sessions.
  if (isReactivated || !hasSecondFactor(session))
    return endSessions(deps, userId, "device_verified");
  if (method) await changeDefaultMethod(deps, session, method, origin);
}

/**
 * Turns multi-factor authentication off. In an account where turning it on is an explicit call, the
 * devices become inactive; in any other, all are removed. Throws `forbidden` if a second factor is
 * required, and `reauthentication_required`.
 */
export async function disableMultiFactor(
  deps: CoreDeps,
  session: Session,
  origin: ClientInfo,
): Promise<void> {
  const { db, redis, clock } = deps;
  const { userId } = session;
  const event = userEvent(deps, session, "multi_factor_switched_off", origin);
  const isDeactivated = await holdingUser(db, userId, async (tx) => {
    const profile = await profileOf({ db: tx }, session);
    refuseIfRequired(deps, profile);
    if (!profile.account.enablingIsOwnCall) return false;
    requireRecentLoginWith(deps, session, configuredMethods(profile.devices));
    await requireStillLive({ ...deps, db: tx }, session);
    await deactivateDevices(tx, { userId, at: new Date(clock.now()) }, event);
    return true;
  });
  if (!isDeactivated) return removeAllDevices(deps, session, origin);
  await withdrawChallenges(redis, userId, clock.now());
}

/** Throws `forbidden` if the user must have a second factor by now. */
export function refuseIfRequired(
  { clock, config }: Pick<CoreDeps, "clock" | "config">,
  profile: MfaProfile,
) {
  if (isRequired(requirementOf(profile, config), clock.now()))
    throw new Problem(
      "forbidden",
      `${whoRequires(profile.user, config)} requires multi-factor authentication.`,
    );
}

/**
 * Whether a device that the user proves now is inactive until they turn multi-factor
 * authentication on. Undefined in an account where devices count at once.
 */
export async function isNewDeviceInactive(
  { db }: CoreDeps,
  { userId }: Session,
): Promise<boolean | undefined> {
  const profile = await getMfaProfile(db, userId);
  if (!profile?.account.enablingIsOwnCall) return undefined;
  return configuredMethods(profile.devices).length === 0;
}

async function profileOf({ db }: Pick<CoreDeps, "db">, { userId }: Session): Promise<MfaProfile> {
  const profile = await getMfaProfile(db, userId);
  if (!profile) throw new Problem("unauthenticated");
  return profile;
}

const notConfigured = () =>
  new Problem("method_not_configured", "Add and verify a device of that kind first.");
