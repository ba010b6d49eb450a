import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import { configuredMethods, isLastOfDefault } from "../store/methods.ts";
import { type Removal, removeAllDevices, removeDevice } from "../store/postgres/device-removal.ts";
import { findEvent } from "../store/postgres/events/events.ts";
import { holdingUser } from "../store/postgres/holding-user.ts";
import { getMfaProfile, type MfaProfile } from "../store/postgres/profiles.ts";
import { forgetDevice } from "../store/redis/second-step/attempts.ts";
import { withdrawChallenges } from "../store/redis/second-step/challenges.ts";
import { revokeUser } from "../store/redis/sessions/revocations.ts";
import { hasKey, KEY_REQUIRED, type Session } from "../store/redis/sessions/session-records.ts";
import { revokeSessionsThat } from "../store/redis/sessions/sessions.ts";
import { isKeyRequired, isRequired, requirementOf } from "../store/requirement.ts";
import { currentWorkflowId, eventOf } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";

type Request = {
  userId: string;
  accountId: string;
  deviceId?: string;
  event: EventType;
  actorId: string;
  sessionId?: string;
  origin: ClientInfo;
  detail?: Record<string, string>;
  unless?: "enabled" | "last_of_default";
  signOut: "always" | "if_required";
};

/** Why a removal is no longer done: what has changed since it was asked for, by its `unless`. */
const OVERTAKEN_IF = {
  enabled: ({ devices }: MfaProfile) => configuredMethods(devices).length > 0,
  last_of_default: ({ user, devices }: MfaProfile, deviceId = "") =>
    isLastOfDefault(deviceId, user.defaultMethod, devices),
};

/** The steps of a removal. Each may be repeated. */
export function removalActivities({ db, redis, clock, config }: ActivityDeps) {
  return {
    async removeDevices(
      request: Request,
    ): Promise<Removal | "gone" | "remove_all_required" | "overtaken"> {
      const { userId, deviceId, detail, unless } = request;
      const event = eventOf(clock, request.event, request, {
        ...detail,
        ...(deviceId && { deviceId }),
      });
      return holdingUser(db, userId, async (tx) => {
        // A repeat of a removal that was already done does not count as overtaken.
        const profile =
          unless && !(await findEvent(tx, event.key)) && (await getMfaProfile(tx, userId));
        if (profile && OVERTAKEN_IF[unless](profile, deviceId)) return "overtaken";
        if (deviceId) return removeDevice(tx, { userId, deviceId }, event);
        return removeAllDevices(tx, userId, event);
      });
    },

    /** Cleans up what Redis holds for the devices. Answers the challenges that ended with them. */
    async retireDevices(request: Request & Removal) {
      const { userId, accountId, deviceId, sessionId, signOut, event } = request;
      const { removed, mfaOff, keyRemoved } = request;
      for (const { id } of removed) await forgetDevice(redis, userId, id);
      // When all devices are removed and none was left, an earlier removal may have failed before
      // this step.
      const profile = keyRemoved === "last" || mfaOff ? await getMfaProfile(db, userId) : undefined;
      const now = clock.now();
      // Other devices are left, but the account asks for a key.
      const keyMissing = !mfaOff && profile !== undefined && isKeyRequired(profile, now);
      const stays = deviceId && !mfaOff && !keyMissing && signOut !== "always";
      if (stays && !keyRemoved) return [];
      const challenges = await withdrawChallenges(redis, userId, now);
      if (stays) {
        // Whoever has the key may have logged in with it; which key opened a session is not known.
        const isOver = (session: Session) => hasKey(session) && session.id !== sessionId;
        const { idleMs } = config.limits.session;
        const reason = "key_removed";
        await revokeSessionsThat(redis, { userId, accountId }, isOver, { now, idleMs, reason });
      }
      const required = mfaOff && profile && isRequired(requirementOf(profile, config), now);
      if (signOut === "always" || required || keyMissing) {
        const reason = keyMissing ? KEY_REQUIRED : event;
        await revokeUser(redis, userId, { reason, now, fact: currentWorkflowId() });
      }
      return challenges;
    },
  };
}
