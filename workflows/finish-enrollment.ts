import type { EnrollmentContext } from "../machines/enrollment.ts";
import { durable } from "./activities.ts";
import type { Owner } from "./messages.ts";

type Enrolled = Owner & { deviceId: string };

const GONE = { type: "DEVICE_GONE" } as const;
const VERIFIED = { type: "DEVICE_VERIFIED" } as const;

/** The effects of `machines/enrollment.ts`, the same for each kind of device. */
export function finishingEffects({ userId, accountId, deviceId }: Enrolled) {
  const device = { userId, accountId, deviceId };
  return {
    settleDevice: async ({ context }: { context: EnrollmentContext }) => {
      const { makeDefault, signOut, aside, alone, sealedAs, origin } = context;
      const proof = { makeDefault, aside, alone, sealedAs, origin };
      const verified = await durable.settleDevice({ ...device, ...proof });
      if (!verified) return GONE;
      // After the device counts: a login that saw no device has read the older revocation mark, so
      // this ends it.
      if (signOut) await durable.signOut({ userId, reason: "device_verified" });
      return VERIFIED;
    },
    removeDevice: async ({ context }: { context: EnrollmentContext }) => {
      await durable.removeDevice({ ...device, origin: context.origin });
      return GONE;
    },
    dropDevice: async () => {
      await durable.dropDevice(device);
      return GONE;
    },
  };
}
