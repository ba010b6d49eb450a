import { ApplicationFailure } from "@temporalio/common";
import { hashCode, newNumericCode } from "../store/codes.ts";
import { newId } from "../store/ids.ts";
import { verifiedPhone } from "../store/methods.ts";
import { getDevice, listDevices } from "../store/postgres/devices.ts";
import { rememberDelivery } from "../store/redis/messages/deliveries.ts";
import { readChallenge, storePasscode } from "../store/redis/second-step/challenges.ts";
import { storePin } from "../store/redis/second-step/pins.ts";
import { currentWorkflowId } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";
import { passcodeText, pinText } from "./sms-texts.ts";

const noPhone = () => ApplicationFailure.nonRetryable("No such phone", "no_phone");

/**
 * A code is created, stored as an HMAC and sent inside one activity, so that it exists nowhere
 * else. A retry makes a new code; only the newest is good. Reports about the message come back
 * under its reference, which tells the provider nothing. `sending` is the flow's count of sendings.
 */
export function deliveryActivities({ db, redis, sms, config, clock }: ActivityDeps) {
  const { pin, passcode } = config.limits;

  const send = async (to: string, body: string, sending: number) => {
    const reference = newId();
    // Stored before sending, because a report can come back at once.
    await rememberDelivery(redis, reference, { workflowId: currentWorkflowId(), sending });
    await sms.send({ to, body, reference });
  };

  return {
    async sendPin(to: { userId: string; deviceId: string; sending: number }): Promise<void> {
      const { userId, deviceId, sending } = to;
      const device = await getDevice(db, userId, deviceId);
      // A gateway of the build before stores the device just after it has started the workflow.
      if (!device?.phoneNumber) throw ApplicationFailure.retryable("No such phone", "no_phone");
      const { digits, lifetimeMs } = pin;
      const code = newNumericCode(digits);
      const hash = hashCode(config.CODE_KEY, "pin", deviceId, code);
      await storePin(redis, { userId, deviceId, hash, expiresAt: clock.now() + lifetimeMs });
      // A gateway that takes the device back looks for a PIN afterwards. If it finds none, none was
      // sent.
      if (!(await getDevice(db, userId, deviceId))) throw noPhone();
      await send(device.phoneNumber, pinText(config, { code, lifetimeMs }), sending);
    },

    async sendPasscode(to: {
      userId: string;
      challengeId: string;
      sending: number;
    }): Promise<void> {
      const { userId, challengeId, sending } = to;
      const phone = verifiedPhone(await listDevices(db, userId));
      if (!phone?.phoneNumber) throw noPhone();
      const challenge = await readChallenge(redis, challengeId);
      const now = clock.now();
      const expiresAt = Math.min(now + passcode.lifetimeMs, challenge?.expiresAt ?? now);
      const code = newNumericCode(passcode.digits);
      const hash = hashCode(config.CODE_KEY, "passcode", challengeId, code);
      if (expiresAt <= now || !(await storePasscode(redis, { challengeId, hash, expiresAt })))
        throw ApplicationFailure.nonRetryable("The challenge has ended", "challenge_over");
      const text = passcodeText(config, { code, lifetimeMs: expiresAt - now });
      await send(phone.phoneNumber, text, sending);
    },
  };
}
