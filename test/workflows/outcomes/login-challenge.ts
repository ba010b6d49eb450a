import type { Method } from "../../../machines/methods.ts";
import { UndeliverableError } from "../../../providers/sms/sms.ts";
import { ORIGIN } from "../flows.ts";
import { type Outcome, SOON_MS } from "./outcome.ts";

const ACCEPTED = { factor: "sms", origin: ORIGIN };

/** The ways in which a login ends. */
export const loginOutcomes: Record<string, Outcome> = {
  async "a login after a wrong passcode and a resend"(world) {
    const { handle, reaches, update } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    await update("rejectPasscode", { failures: 1 });
    await update("resendPasscode");
    await reaches("awaiting_passcode");
    await update("acceptPasscode", ACCEPTED);
    return handle;
  },
  async "a login whose message is lost, and the next one delivered"(world) {
    const { handle, reaches, update } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    const lost = { sending: 1, outcome: "failed", reason: "unreachable_number" };
    await handle.signal("reportDelivery", lost);
    await reaches("delivery_failed");
    await update("resendPasscode");
    await reaches("awaiting_passcode");
    await handle.signal("reportDelivery", { sending: 2, outcome: "delivered" });
    await update("acceptPasscode", ACCEPTED);
    return handle;
  },
  async "a login that leaves a message half sent for the app"(world) {
    world.phone.fail();
    const { handle, update } = await world.loginChallenge();
    await update("chooseMethod", { method: "otp", maySend: false });
    await update("acceptPasscode", { ...ACCEPTED, factor: "otp" });
    return handle;
  },
  async "a login whose message nobody takes"(world) {
    world.phone.fail(1, () => new UndeliverableError("unreachable_number"));
    const { handle, reaches, update } = await world.loginChallenge();
    await reaches("delivery_failed");
    await update("acceptPasscode", { ...ACCEPTED, factor: "recovery_code" });
    return handle;
  },
  async "a login by a security key after a message on its way"(world) {
    world.phone.fail();
    const methods: Method[] = ["webauthn", "sms"];
    const { handle, update } = await world.loginChallenge({ methods });
    await update("chooseMethod", { method: "webauthn", maySend: false });
    await update("acceptPasscode", { ...ACCEPTED, factor: "webauthn" });
    return handle;
  },
  async "a login that nobody finishes"(world) {
    return (await world.loginChallenge({ lifetimeMs: SOON_MS })).handle;
  },
  async "a lock while a passcode is on its way"(world) {
    world.phone.fail();
    const { handle, update } = await world.loginChallenge();
    await update("lockAccount", { origin: ORIGIN });
    return handle;
  },
  async "a login that a removal withdraws"(world) {
    const { handle, reaches } = await world.loginChallenge();
    await reaches("awaiting_passcode");
    await handle.signal("withdraw", { reason: "all_devices_removed" });
    return handle;
  },
};
