import type { Context } from "hono";
import { z } from "zod";
import type { CoreDeps } from "../../core/deps.ts";
import { registerOtpDevice, verifyOtpCode } from "../../core/devices/otp.ts";
import { isLastOfDefault } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { clientInfoOf } from "../http/client.ts";
import { nicknameSchema } from "../http/inputs.ts";
import { readBody } from "./body.ts";
import { callerOnOwnPath } from "./caller.ts";
import { showHandlers, verifyHandler } from "./device-handlers.ts";
import { isProven, location, MULTI_FACTOR, namedDevice } from "./devices.ts";
import { Fault } from "./faults.ts";
import { removeNamed } from "./removal.ts";
import type { Routes } from "./routes.ts";

const DEVICES = `${MULTI_FACTOR}/otp-devices`;

const deviceSchema = z.object({ "RAX-AUTH:otpDevice": z.object({ name: nicknameSchema }) });

/** Routes of authenticator apps: a user's own; an administrator may remove another user's. */
export function otpDeviceRoutes(deps: CoreDeps): Routes {
  const proxies = deps.config.TRUSTED_PROXIES;
  const members = { one: "RAX-AUTH:otpDevice", many: "RAX-AUTH:otpDevices" };
  const show = showHandlers(deps, "otp", members, describe);
  return {
    [DEVICES]: {
      POST: async (c) => {
        const session = await callerOnOwnPath(c, deps);
        const { name } = (await readBody(c, deviceSchema))["RAX-AUTH:otpDevice"];
        const setup = await registerOtpDevice(deps, session, name, clientInfoOf(c, proxies));
        const { id } = setup.device;
        const { otpauthUri: keyUri, qrCode: qrcode } = setup;
        const made = { id, keyUri, name, qrcode, verified: false };
        return c.json({ "RAX-AUTH:otpDevice": made }, 201, { location: location(c, deps, id) });
      },
      GET: show.all,
    },
    [`${DEVICES}/:deviceId`]: {
      GET: show.one,
      DELETE: async (c) => {
        await removeNamed(c, deps, (userId) => removable(c, deps, userId), lastOtpDevice());
        return c.body(null, 204);
      },
    },
    [`${DEVICES}/:deviceId/verify`]: {
      POST: verifyHandler(deps, "otp", verifyOtpCode),
    },
  };
}

const describe = (device: Device) => ({
  id: device.id,
  name: device.name,
  verified: isProven(device),
});

/**
 * The ID of the device that the path names. Throws `badRequest` for the last OTP device while OTP
 * is the default method, because the protocol does not let it be removed.
 */
async function removable(c: Context, deps: CoreDeps, userId: string): Promise<string> {
  const { id } = await namedDevice(c, deps, { userId }, "otp");
  const profile = await getMfaProfile(deps.db, userId);
  if (profile && isLastOfDefault(id, profile.user.defaultMethod, profile.devices))
    throw lastOtpDevice();
  return id;
}

const lastOtpDevice = () =>
  new Fault(
    "badRequest",
    "This is the last OTP device and OTP is the default. Change the default first.",
  );
