import type { Origin } from "../machines/methods.ts";
import { type Removal, removeAllDevices, removeDevice } from "../store/postgres/device-removal.ts";
import { getMfaProfile } from "../store/postgres/profiles.ts";
import { forgetDevice } from "../store/redis/attempts.ts";
import { withdrawChallenges } from "../store/redis/challenges.ts";
import { revokeUser } from "../store/redis/sessions.ts";
import { requirementOf } from "../store/requirement.ts";
import { currentWorkflowId, eventOf } from "./audit.ts";
import type { Deps } from "./index.ts";

type Request = {
  userId: string;
  accountId: string;
  deviceId?: string;
  event: string;
  actorId: string;
  origin: Origin;
  detail?: Record<string, string>;
  signOut: "always" | "if_required";
};

/** The steps of a removal, each of which may be repeated. */
export function removalActivities({ db, redis, clock, config }: Deps) {
  return {
    async removeDevices(request: Request): Promise<Removal | "gone" | "remove_all_required"> {
      const { userId, deviceId, detail } = request;
      const event = eventOf(clock, request.event, request, {
        ...detail,
        ...(deviceId && { deviceId }),
      });
      if (deviceId) return removeDevice(db, { userId, deviceId }, event);
      return removeAllDevices(db, userId, event);
    },

    /** What Redis holds of the devices; answers the challenges that ended with them. */
    async retireDevices(request: Request & Removal) {
      const { userId, deviceId, removed, mfaOff, signOut, event } = request;
      for (const { id } of removed) await forgetDevice(redis, userId, id);
      // Where all are to go and none was left, the removal before may still have to get here.
      if (deviceId && !mfaOff && signOut !== "always") return [];
      const challenges = await withdrawChallenges(redis, userId, clock.now());
      const required = async () => {
        const profile = await getMfaProfile(db, userId);
        return profile && requirementOf(profile, config).requirement === "required";
      };
      if (signOut === "always" || (mfaOff && (await required()))) {
        const mark = { reason: event, now: clock.now(), fact: currentWorkflowId() };
        await revokeUser(redis, userId, mark);
      }
      return challenges;
    },
  };
}
