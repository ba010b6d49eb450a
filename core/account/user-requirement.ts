import type { ClientInfo } from "../../machines/methods.ts";
import { configuredMethods } from "../../store/methods.ts";
import type { Db } from "../../store/postgres/connect.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getMfaProfile, type MfaProfile } from "../../store/postgres/profiles.ts";
import type { User, UserRequirement } from "../../store/postgres/schema.ts";
import { setRequirement } from "../../store/postgres/users.ts";
import { withdrawChallenges } from "../../store/redis/second-step/challenges.ts";
import {
  hasKey,
  KEY_REQUIRED,
  POLICY_REQUIRED,
  type Session,
} from "../../store/redis/sessions/session-records.ts";
import { isKeyRequired, isRequired, requirementOf } from "../../store/requirement.ts";
import { actorsEvent } from "../actors.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChangeByOthers } from "../limits/changes.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { endSessions, endSessionsThat } from "../sessions/sessions.ts";

/**
 * Gives a user a requirement of their own; null means the account's requirement applies again. A
 * user who now needs a second factor or a security key and has none is logged out, as by a policy;
 * of a user who has a key, only sessions and logins without it end. The caller has
 * checked that the session may do this. What may ease the requirement costs one of the changes by
 * others; `too_many_requests` refuses it if none is left.
 */
export async function changeUserRequirement(
  deps: CoreDeps,
  session: Session,
  user: User,
  requirement: UserRequirement | null,
  origin: ClientInfo,
): Promise<void> {
  const { db } = deps;
  const { id: userId } = user;
  const detail = { requirement };
  const actor = { actorId: session.userId, origin };
  const event = actorsEvent(deps, user, "user_requirement_changed", actor, detail);
  const change = () =>
    holdingUser(db, userId, async (tx) => {
      await requireStillLive({ ...deps, db: tx }, session);
      const isChanged = await setRequirement(tx, { userId, requirement }, event);
      const profile = await getMfaProfile(tx, userId);
      return { isChanged, missing: profile && missingOf(deps, profile) };
    });
  const { isChanged, missing } =
    requirement === "required" || (requirement === null && (await endsExemption(db, userId)))
      ? await change()
      : await payForChangeByOthers(deps, userId, change, (it) => it.isChanged);
  if (!missing) return;
  const { reason, hasIt } = missing;
  if (isChanged && !hasIt) return endSessions(deps, userId, reason);
  if (hasIt) await withdrawChallenges(deps.redis, userId, deps.clock.now());
  // An earlier request may have failed before it ended the sessions. A set-up session stays: the
  // user is doing what is required.
  const isOver = (one: Session) => one.scope === "full" && !(hasIt && hasKey(one));
  await endSessionsThat(deps, { userId, accountId: user.accountId }, isOver, reason);
}

/**
 * Why sessions of the user end that lack what is required now, and whether the user has it; undefined
 * if no session lacks it.
 */
function missingOf(
  { clock, config }: Pick<CoreDeps, "clock" | "config">,
  profile: MfaProfile,
): { reason: typeof POLICY_REQUIRED | typeof KEY_REQUIRED; hasIt: boolean } | undefined {
  const now = clock.now();
  const methods = configuredMethods(profile.devices);
  if (isKeyRequired(profile, now))
    return { reason: KEY_REQUIRED, hasIt: methods.includes("webauthn") };
  if (methods.length > 0 || !isRequired(requirementOf(profile, config), now)) return undefined;
  return { reason: POLICY_REQUIRED, hasIt: false };
}

/**
 * Whether the account requires a second factor and only the user's own exemption stands against it.
 * From `required` to null is charged: if it were free too, the two could take turns without end.
 */
async function endsExemption(db: Db, userId: string): Promise<boolean> {
  const profile = await getMfaProfile(db, userId);
  return profile?.user.requirement === "optional" && profile.account.requirement !== "optional";
}
