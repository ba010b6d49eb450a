import { ORIGIN } from "../flows.ts";
import { type Outcome, SOON_MS } from "./outcome.ts";

/** The ways in which pairing a phone, an app or a security key ends. */
export const enrollmentOutcomes: Record<string, Outcome> = {
  async "a phone verified by its second PIN"(world) {
    const { handle, reaches, update } = await world.smsEnrollment();
    await reaches("awaiting_pin");
    await update("rejectPin", { triesRemaining: 1 });
    await update("voidPin");
    await update("resendPin");
    await reaches("awaiting_pin");
    await handle.signal("reportDelivery", { sending: 2, outcome: "delivered" });
    await update("acceptPin", { makeDefault: true, origin: ORIGIN });
    return handle;
  },
  async "a phone removed while its PIN is being sent"(world) {
    world.phone.fail();
    const { handle, update } = await world.smsEnrollment();
    await update("remove", { origin: ORIGIN });
    return handle;
  },
  async "a phone whose PIN expires, and that nobody verifies"(world) {
    const shortly = { lifetimeMs: 3 * SOON_MS, pinLifetimeMs: SOON_MS };
    return (await world.smsEnrollment(shortly)).handle;
  },
  async "a phone that nobody verifies, whose PIN never went out"(world) {
    world.phone.fail();
    return (await world.smsEnrollment({ lifetimeMs: SOON_MS })).handle;
  },
  async "an app verified without a sign-out"(world) {
    const { handle, update } = await world.otpEnrollment();
    await update("rejectCode");
    await update("restart");
    await update("acceptCode", { makeDefault: false, signOut: false, origin: ORIGIN });
    return handle;
  },
  async "an app verified with a sign-out"(world) {
    const { handle, update } = await world.otpEnrollment();
    await update("acceptCode", { makeDefault: true, signOut: true, origin: ORIGIN });
    return handle;
  },
  async "an app that is removed"(world) {
    const { handle, update } = await world.otpEnrollment();
    await update("remove", { origin: ORIGIN });
    return handle;
  },
  async "an app that nobody verifies"(world) {
    return (await world.otpEnrollment({ lifetimeMs: SOON_MS })).handle;
  },
  async "a security key whose first credential is refused"(world) {
    const { handle, update, sealedAs } = await world.webauthnEnrollment();
    await update("rejectCredential");
    await update("restart");
    await update("acceptCredential", {
      ...{ makeDefault: true, signOut: true, alone: true, sealedAs },
      origin: ORIGIN,
    });
    return handle;
  },
  async "a security key that is removed"(world) {
    const { handle, update } = await world.webauthnEnrollment();
    await update("remove", { origin: ORIGIN });
    return handle;
  },
  async "a security key that nobody verifies"(world) {
    return (await world.webauthnEnrollment({ lifetimeMs: SOON_MS })).handle;
  },
};
