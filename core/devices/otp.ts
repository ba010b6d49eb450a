import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { addOtpDevice, markOf, replaceOtpSecret } from "../../store/postgres/devices.ts";
import { noteEnrollmentStart } from "../../store/postgres/enrollment-starts.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getUser } from "../../store/postgres/users.ts";
import { consumeOtpStep } from "../../store/redis/second-step/otp-steps.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { addFactor } from "../../store/redis/sessions/sessions.ts";
import { seal, unseal } from "../../store/sealing.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { beginEnrollment } from "./begin-enrollment.ts";
import {
  type DeviceView,
  enrollmentRefusal,
  type Proof,
  proven,
  type UnverifiedOf,
  viewDevice,
} from "./devices.ts";
import { moveEnrollment, spendEnrollmentRequest } from "./enrollment-requests.ts";
import { drawQrCode } from "./qr-code.ts";
import {
  codeUsed,
  matchingStep,
  minutesOff,
  newOtpSecret,
  OTP_DIGITS,
  otpauthUri,
} from "./totp.ts";
import { requireDigits } from "./typed-digits.ts";

type OtpDevice = UnverifiedOf<"otp">;

/** What an authenticator app needs, returned only once. */
export type OtpSetup = { device: DeviceView; secret: string; otpauthUri: string; qrCode: string };

/**
 * Registers an authenticator app under a nickname. Throws `too_many_devices`, `too_many_requests`
 * and `reauthentication_required`. After a 503 no device is left.
 */
export async function registerOtpDevice(
  deps: CoreDeps,
  session: Session,
  name: string,
  origin: ClientInfo,
): Promise<OtpSetup> {
  await requireRecentLogin(deps, session);
  const { userId, accountId } = session;
  const { enrollmentMs: lifetimeMs, otpDevices } = deps.config.limits;
  const id = newId();
  const secret = newOtpSecret();
  const args = { userId, accountId, deviceId: id, lifetimeMs };
  const add = () =>
    deps.db.transaction(async (tx) => {
      const sealed = seal(deps.config.SEALING_KEYS, secret, id);
      const device = await addOtpDevice(
        tx,
        { id, userId, name, secret: sealed, at: new Date(deps.clock.now()) },
        otpDevices,
        userEvent(deps, session, "otp_device_added", origin, { deviceId: id }),
      );
      if (device === "too_many")
        throw new Problem(
          "too_many_devices",
          `You have ${otpDevices} apps, the maximum. Remove one to add another.`,
        );
      await noteEnrollmentStart(tx, id);
      // Checked here, because the lock on the user's row may have taken time. A refusal rolls all
      // back.
      await requireStillLive({ ...deps, db: tx }, session);
      return device;
    });
  const start = () => deps.flows.startOtpEnrollment(args);
  const view = await payForChange(deps, userId, async () =>
    beginEnrollment(deps, { session, device: await add(), origin }, start),
  );
  return setupOf(deps, session, view, secret);
}

/**
 * Restarts the set-up of an unverified app with a new secret, because the first secret is shown
 * only once. The old secret stops working. Throws `too_many_requests` among others.
 */
export async function restartOtpDevice(
  deps: CoreDeps,
  device: OtpDevice,
  origin: ClientInfo,
): Promise<OtpSetup> {
  const { by: session } = device;
  await spendEnrollmentRequest(deps, device, origin);
  const { userId } = session;
  const secret = newOtpSecret();
  const view = await payForChange(deps, userId, async () => {
    const { moved, view } = await moveEnrollment(deps, device, "restart", {}, origin);
    if (!moved) throw enrollmentRefusal(view);
    const sealed = seal(deps.config.SEALING_KEYS, secret, device.id);
    const event = userEvent(deps, session, "otp_device_restarted", origin, { deviceId: device.id });
    const restarted = await holdingUser(deps.db, userId, async (tx) => {
      await requireStillLive({ ...deps, db: tx }, session);
      return replaceOtpSecret(tx, { userId, deviceId: device.id, secret: sealed }, event);
    });
    if (!restarted)
      throw new Problem("device_verified_already", "It was verified in the meantime.");
    return viewDevice(deps, restarted, view);
  });
  return setupOf(deps, session, view, secret);
}

/**
 * The set-up of an unverified app again. It holds the secret, so only the session that started the
 * set-up may get it.
 */
export async function sameSetup(deps: CoreDeps, device: OtpDevice): Promise<OtpSetup> {
  if (!device.secret) throw new TypeError("The OTP device has no secret");
  const secret = unseal(deps.config.SEALING_KEYS, device.secret, device.id).toString();
  return setupOf(deps, device.by, await viewDevice(deps, device), secret);
}

async function setupOf(
  { db, config }: CoreDeps,
  session: Session,
  device: DeviceView,
  secret: string,
) {
  const user = await getUser(db, session.userId);
  if (!user) throw new Problem("unauthenticated");
  const label = { issuer: config.SERVICE_NAME, username: user.username, device: device.name ?? "" };
  const uri = otpauthUri(label, secret);
  return { device, secret, otpauthUri: uri, qrCode: await drawQrCode(uri) };
}

/**
 * Proves the app by a code, which is then used up. The user is logged out to log in with the app,
 * unless it does not become the default: then the session gains the factor. Throws `pin_rejected`,
 * and `passcode_already_used` for a code that was used before.
 */
export async function verifyOtpCode(
  deps: CoreDeps,
  device: OtpDevice,
  { code, makeDefault, inactive }: Proof,
  origin: ClientInfo,
): Promise<{ device: DeviceView; signedOut: boolean; session?: Session }> {
  const { by: session, alone } = device;
  await spendEnrollmentRequest(deps, device, origin);
  const digits = requireDigits(code, OTP_DIGITS, "code");
  const step = matchingStep(deps, device, digits);
  // The step is claimed for this session: somebody who overhears the code cannot use it in their
  // own.
  const claim = { userId: session.userId, deviceId: device.id, holder: session.id };
  if (step !== undefined && !(await consumeOtpStep(deps.redis, { ...claim, step })))
    throw await codeUsed(deps, { ...claim, step });
  if (step === undefined) {
    const { moved, view } = await moveEnrollment(deps, device, "rejectCode", {}, origin);
    if (!moved) throw enrollmentRefusal(view);
    throw wrongCode(minutesOff(deps, device, digits));
  }
  // A set-up session can do nothing else, so the user logs in again with the new device.
  const signOut = !inactive && (makeDefault || session.scope === "mfa_setup");
  // Two concurrent requests with different options need different Update IDs.
  const request = inactive ? "accept/aside" : signOut ? "accept/sign_out" : "accept";
  const facts = { makeDefault, signOut, aside: inactive, alone, sealedAs: markOf(device), origin };
  // If the answer is late, the step stays claimed by this session: the same request may use it
  // again, but no login may, although the device may be proven by then.
  const accepted = await moveEnrollment(deps, device, "acceptCode", facts, origin, request);
  // Not moved: another request with other options has proven the device first.
  if (!accepted.moved || accepted.view.state === "removed") throw enrollmentRefusal(accepted.view);
  const view = await viewDevice(deps, proven(deps, device, inactive));
  if (inactive) return { device: view, signedOut: false, session };
  if (signOut) return { device: view, signedOut: true };
  const amr = [...new Set([...session.amr, "otp", "mfa"])];
  const { id: sessionId } = session;
  const stronger = await addFactor(deps.redis, { sessionId, amr, now: deps.clock.now() });
  return { device: view, signedOut: stronger === undefined, session: stronger };
}

/** The refusal of a wrong code. `minutes`: how far the phone's clock is off, if known. */
function wrongCode(minutes?: number): Problem {
  if (minutes === undefined)
    return new Problem(
      "pin_rejected",
      "That code is wrong or has expired. Enter the current code.",
    );
  const about = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return new Problem(
    "pin_rejected",
    `Your phone's clock is off by about ${about}. Turn on automatic time, then enter the new code.`,
    { members: { clockOffMinutes: minutes } },
  );
}
