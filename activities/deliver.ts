import { ApplicationFailure } from "@temporalio/common";
import { hashCode, newNumericCode } from "../store/codes.ts";
import { getDevice, listDevices } from "../store/postgres/devices.ts";
import { readChallenge, storePasscode } from "../store/redis/challenges.ts";
import { storePin } from "../store/redis/pins.ts";
import type { Deps } from "./index.ts";

/**
 * A delivered code is made, kept as an HMAC and sent inside one activity, so that it exists nowhere
 * else. A retry makes a new one: only the newest is good.
 */
export function deliveryActivities({ db, redis, sms, config, clock }: Deps) {
  const { pin, passcode } = config.limits;
  const name = config.SERVICE_NAME;

  return {
    async sendPin(to: { userId: string; deviceId: string }): Promise<void> {
      const device = await getDevice(db, to.userId, to.deviceId);
      // The gateway commits the device a moment after it has started the workflow.
      if (!device?.phoneNumber) throw ApplicationFailure.retryable("No such phone", "no_phone");
      const code = newNumericCode(pin.digits);
      await storePin(redis, {
        ...to,
        hash: hashCode(config.CODE_KEY, "pin", to.deviceId, code),
        expiresAt: clock.now() + pin.lifetimeMs,
      });
      await sms.send({
        to: device.phoneNumber,
        body: `${code} is your ${name} PIN to verify this phone. It expires in ${minutes(pin.lifetimeMs)} minutes.`,
      });
    },

    async sendPasscode(to: { userId: string; challengeId: string }): Promise<void> {
      const devices = await listDevices(db, to.userId);
      const phone = devices.find((device) => device.type === "sms" && device.verifiedAt);
      const challenge = await readChallenge(redis, to.challengeId);
      if (!phone?.phoneNumber || !challenge)
        throw ApplicationFailure.nonRetryable("No such phone", "no_phone");
      const code = newNumericCode(passcode.digits);
      await storePasscode(redis, {
        challengeId: to.challengeId,
        hash: hashCode(config.CODE_KEY, "passcode", to.challengeId, code),
        expiresAt: Math.min(clock.now() + passcode.lifetimeMs, challenge.expiresAt),
      });
      await sms.send({
        to: phone.phoneNumber,
        body: `${code} is your ${name} passcode. Never share it. It expires in ${minutes(passcode.lifetimeMs)} minutes.`,
      });
    },
  };
}

const minutes = (ms: number) => Math.round(ms / 60_000);
