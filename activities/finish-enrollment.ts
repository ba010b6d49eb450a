import type { ClientInfo } from "../machines/methods.ts";
import type { EventType } from "../store/events/event-types.ts";
import { removeUnverifiedDevice, verifyDevice } from "../store/postgres/devices.ts";
import { dropPin } from "../store/redis/second-step/pins.ts";
import { revokeUser } from "../store/redis/sessions/revocations.ts";
import { currentWorkflowId, eventOf } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";

type Enrolled = { userId: string; accountId: string; deviceId: string; origin?: ClientInfo };

/** How an enrollment ends: the device counts, or is removed. */
export function finishingActivities({ db, redis, clock }: ActivityDeps) {
  const remove = async (device: Enrolled, event: EventType) => {
    const { userId, deviceId } = device;
    await removeUnverifiedDevice(
      db,
      { userId, deviceId },
      eventOf(clock, event, device, { deviceId }),
    );
    await dropPin(redis, { userId, deviceId });
  };

  return {
    /**
     * False if the device was removed before its proof could be stored. Also false if it is dropped
     * now because another request overtook the proof: another device was verified, or the secret
     * was replaced. Recorded histories hold this name.
     */
    async settleDevice(
      device: Enrolled & {
        makeDefault: boolean;
        aside?: boolean;
        alone?: boolean;
        sealedAs?: string;
      },
    ): Promise<boolean> {
      const { userId, deviceId, makeDefault, aside: inactive, alone, sealedAs } = device;
      const outcome = await verifyDevice(
        db,
        { userId, deviceId, makeDefault, inactive, alone, sealedAs, at: new Date(clock.now()) },
        eventOf(clock, "device_verified", device, { deviceId, ...(inactive && { aside: true }) }),
      );
      if (outcome === "overtaken") {
        await remove(device, "device_dropped");
        return false;
      }
      await dropPin(redis, { userId, deviceId });
      return outcome !== "gone";
    },

    async signOut({ userId, reason }: { userId: string; reason: string }) {
      await revokeUser(redis, userId, { reason, now: clock.now(), fact: currentWorkflowId() });
    },

    removeDevice: (device: Enrolled) => remove(device, "device_removed"),
    dropDevice: (device: Enrolled) => remove(device, "device_dropped"),
  };
}
