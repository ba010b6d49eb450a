import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { markOf, replaceOtpSecret } from "../../store/postgres/devices.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getUser } from "../../store/postgres/users.ts";
import { consumeOtpStep } from "../../store/redis/second-step/otp-steps.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { seal, unseal } from "../../store/sealing.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { acceptProof, type Verified } from "./accept-proof.ts";
import {
  type DeviceView,
  enrollmentRefusal,
  type Proof,
  type UnverifiedOf,
  viewDevice,
} from "./devices.ts";
import { moveEnrollment, spendEnrollmentRequest } from "./enrollment-requests.ts";
import { enrollNamedDevice } from "./named-devices.ts";
import { drawQrCode } from "./qr-code.ts";
import { requireSetUpRight } from "./set-up-rights.ts";
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
 * Registers an authenticator app under a nickname. Throws `too_many_devices`, `too_many_requests`,
 * `reauthentication_required` and `key_required`. After a 503 no device is left.
 */
export async function registerOtpDevice(
  deps: CoreDeps,
  session: Session,
  name: string,
  origin: ClientInfo,
): Promise<OtpSetup> {
  await requireRecentLogin(deps, session);
  await requireSetUpRight(deps, session, "otp");
  const { userId, accountId } = session;
  const { enrollmentMs: lifetimeMs, otpDevices: most } = deps.config.limits;
  const id = newId();
  const secret = newOtpSecret();
  const view = await enrollNamedDevice(
    deps,
    session,
    { type: "otp", id, name, secret: seal(deps.config.SEALING_KEYS, secret, id) },
    { added: "otp_device_added", plural: "apps", most },
    origin,
    () => deps.flows.startOtpEnrollment({ userId, accountId, deviceId: id, lifetimeMs }),
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
  { code, ...options }: Proof,
  origin: ClientInfo,
): Promise<Verified> {
  const { by: session } = device;
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
  // If the answer is late, the step stays claimed by this session: the same request may use it
  // again, but no login may, although the device may be proven by then.
  const proven = { sealedAs: device.secret ? markOf(device.secret) : undefined, origin };
  return acceptProof(deps, device, options, { ...proven, amr: ["otp", "mfa"] }, (facts, updateId) =>
    moveEnrollment(deps, device, "acceptCode", facts, origin, updateId),
  );
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
