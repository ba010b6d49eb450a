import { newId } from "../../../store/ids.ts";
import { listDevices } from "../../../store/postgres/devices.ts";
import type { Outcome } from "./outcome.ts";

/** The ways in which a removal of devices ends. */
export const removalOutcomes: Record<string, Outcome> = {
  async "a removal of all devices during a login"(world) {
    const login = await world.loginChallenge();
    await login.reaches("awaiting_passcode");
    return world.deviceRemoval(login);
  },
  async "a removal of one device"(world) {
    const app = await world.otpEnrollment();
    return world.deviceRemoval(app, app);
  },
  async "a removal of a device that is gone"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    return world.deviceRemoval(login, { deviceId: newId() });
  },
  async "a removal by the password alone that a verification overtook"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    return world.deviceRemoval(login, { unless: "enabled" });
  },
  async "a removal of a verified phone alone"(world) {
    const login = await world.loginChallenge({ method: "otp" });
    const [phone] = await listDevices(world.db, login.userId);
    return world.deviceRemoval(login, { deviceId: phone?.id });
  },
};
