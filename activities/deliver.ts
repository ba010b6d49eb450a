import { ApplicationFailure } from "@temporalio/common";
import { hashCode, newNumericCode } from "../store/codes.ts";
import { newId } from "../store/ids.ts";
import { verifiedPhone } from "../store/methods.ts";
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
        reference: newId(),
        body: `${code} is your ${name} PIN to verify this phone. It expires in ${minutes(pin.lifetimeMs)}.`,
      });
    },

    async sendPasscode(to: { userId: string; challengeId: string }): Promise<void> {
      const { userId, challengeId } = to;
      const phone = verifiedPhone(await listDevices(db, userId));
      if (!phone?.phoneNumber) throw ApplicationFailure.nonRetryable("No such phone", "no_phone");
      const challenge = await readChallenge(redis, challengeId);
      const now = clock.now();
      const expiresAt = Math.min(now + passcode.lifetimeMs, challenge?.expiresAt ?? now);
      const code = newNumericCode(passcode.digits);
      const hash = hashCode(config.CODE_KEY, "passcode", challengeId, code);
      if (expiresAt <= now || !(await storePasscode(redis, { challengeId, hash, expiresAt })))
        throw ApplicationFailure.nonRetryable("The challenge is over", "challenge_over");
      await sms.send({
        to: phone.phoneNumber,
        reference: newId(),
        body: `${code} is your ${name} passcode. Never share it. It expires in ${minutes(expiresAt - now)}.`,
      });
    },
  };
}

function minutes(ms: number): string {
  const count = Math.max(1, Math.round(ms / 60_000));
  return count === 1 ? "1 minute" : `${count} minutes`;
}
