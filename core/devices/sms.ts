import type { ClientInfo } from "../../machines/methods.ts";
import { hashesOf } from "../../store/codes.ts";
import { newId } from "../../store/ids.ts";
import { addSmsDevice } from "../../store/postgres/devices.ts";
import { noteEnrollmentStart } from "../../store/postgres/enrollment-starts.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { checkPin, type PinCheck, refundPinTry } from "../../store/redis/second-step/pins.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { refundOrCharge } from "../limits/refund-or-charge.ts";
import { recordRefusedSend } from "../limits/refused-sends.ts";
import { spendPinSend } from "../limits/send-limits.ts";
import { payIfDone, type Spent } from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { beginEnrollment } from "./begin-enrollment.ts";
import {
  type DeviceView,
  enrollmentOf,
  enrollmentRefusal,
  type Proof,
  proven,
  type UnverifiedOf,
  viewDevice,
} from "./devices.ts";
import { moveEnrollment, spendEnrollmentRequest } from "./enrollment-requests.ts";
import { parsePhoneNumber } from "./phone-numbers.ts";
import { requireSetUpRight } from "./set-up-rights.ts";
import { requireDigits } from "./typed-digits.ts";

type Phone = UnverifiedOf<"sms">;

/**
 * Registers the user's phone and sends it a PIN. Throws `invalid_phone_number`,
 * `sms_device_exists`, `send_limit`, `too_many_requests`, `reauthentication_required`,
 * `key_required`. After a 503 no device is left.
 */
export async function registerSmsDevice(
  deps: CoreDeps,
  session: Session,
  phone: { countryCode: string; phoneNumber: string },
  origin: ClientInfo,
): Promise<DeviceView> {
  await requireRecentLogin(deps, session);
  await requireSetUpRight(deps, session, "sms");
  const { countryCode } = phone;
  const phoneNumber = parsePhoneNumber(countryCode, phone.phoneNumber);
  const { userId, accountId } = session;
  const { enrollmentMs: lifetimeMs, pin } = deps.config.limits;
  const id = newId();
  const args = { userId, accountId, deviceId: id, lifetimeMs, pinLifetimeMs: pin.lifetimeMs };

  let sending: Spent | undefined;
  const giveBack = async () => sending?.giveBack();
  const add = () =>
    deps.db.transaction(async (tx) => {
      const device = await addSmsDevice(
        tx,
        { id, userId, countryCode, phoneNumber, at: new Date(deps.clock.now()) },
        userEvent(deps, session, "sms_device_added", origin, { deviceId: id }),
      );
      if (device === "exists")
        throw new Problem("sms_device_exists", "Remove all devices before you add another phone.");
      sending = await spendPinSend(deps, { userId, phoneNumber });
      await noteEnrollmentStart(tx, id);
      // Checked here, because the lock on the user's row may have taken time. A refusal rolls all
      // back.
      await requireStillLive({ ...deps, db: tx }, session);
      return device;
    });
  const start = () => deps.flows.startSmsEnrollment(args);
  try {
    return await payForChange(deps, userId, async () =>
      beginEnrollment(deps, { session, device: await add(), origin }, start, giveBack),
    );
  } catch (error) {
    // A refusal rolled the device back. If the answer to the commit is lost, it is unknown whether
    // the device exists, so nothing is given back.
    if (error instanceof Problem) await giveBack();
    await recordRefusedSend(deps, { userId, kind: "pin", phoneNumber }, error);
    throw error;
  }
}

/**
 * Sends a new PIN to an unverified phone; the old PIN stops working. Throws `send_limit` among
 * others.
 */
export async function resendPin(
  deps: CoreDeps,
  device: Phone,
  origin: ClientInfo,
): Promise<DeviceView> {
  await spendEnrollmentRequest(deps, device, origin);
  const before = await enrollmentOf(deps, device);
  if (!before.next.includes("pin")) throw enrollmentRefusal(before);
  try {
    const sending = await spendPinSend(deps, phoneOf(device));
    return await payIfDone(sending, async () => {
      const { moved, view } = await moveEnrollment(deps, device, "resendPin", {}, origin);
      if (!moved) throw enrollmentRefusal(view);
      return viewDevice(deps, device, view);
    });
  } catch (error) {
    await recordRefusedSend(deps, { ...phoneOf(device), kind: "pin" }, error);
    throw error;
  }
}

/**
 * Proves the phone by its PIN. The user is then logged out everywhere, unless the phone is
 * inactive. Throws `pin_rejected` with `triesRemaining`, `pin_replaced`, which costs no try, and
 * `pin_expired`, also for a PIN that too many wrong tries made void.
 */
export async function verifyPin(
  deps: CoreDeps,
  device: Phone,
  { code, makeDefault, inactive }: Proof,
  origin: ClientInfo,
): Promise<{ device: DeviceView; signedOut: boolean }> {
  await spendEnrollmentRequest(deps, device, origin);
  const { digits, tries } = deps.config.limits.pin;
  const pin = requireDigits(code, digits, "code");
  const { userId, id: deviceId } = device;
  const hashes = hashesOf(deps.config.CODE_KEY, "pin", deviceId, pin);
  const attempt = { userId, deviceId, hashes, now: deps.clock.now(), tries };
  const check = await checkPin(deps.redis, attempt);
  try {
    if (check.outcome !== "accepted") throw await refuse(deps, device, check, origin);
    const facts = { makeDefault, aside: inactive, alone: device.alone, origin };
    const request = inactive ? "accept/aside" : "accept";
    const { moved, view } = await moveEnrollment(deps, device, "acceptPin", facts, origin, request);
    // Not moved: another request with other options has proven the phone first.
    if (!moved) throw enrollmentRefusal(view);
    if (view.state === "removed") throw new Problem("device_not_found", "The device was removed.");
    return { device: await viewDevice(deps, proven(deps, device, inactive)), signedOut: !inactive };
  } catch (error) {
    await refundOrCharge(deps, error, { userId, kind: "pin" }, origin, (budget) =>
      refundPinTry(deps.redis, { userId, deviceId, check, ...budget }),
    );
    throw error;
  }
}

/** Reports a failed PIN to the workflow, and answers the error for the client. */
async function refuse(
  deps: CoreDeps,
  device: Phone,
  check: Exclude<PinCheck, { outcome: "accepted" }>,
  origin: ClientInfo,
): Promise<Error> {
  switch (check.outcome) {
    case "rejected": {
      const { triesRemaining } = check;
      const facts = { triesRemaining };
      const { moved, view } = await moveEnrollment(deps, device, "rejectPin", facts, origin);
      if (!moved) return enrollmentRefusal(view);
      return new Problem("pin_rejected", "That PIN is wrong. Check the newest message.", {
        members: { triesRemaining },
      });
    }
    case "voided":
      await moveEnrollment(deps, device, "voidPin", {}, origin);
      return new Problem("pin_rejected", "Too many wrong PINs. Send a new PIN.", {
        members: { triesRemaining: 0 },
      });
    case "replaced":
      return new Problem("pin_replaced", "A newer PIN was sent. Enter the newest one.");
    default:
      return new Problem("pin_expired", "Request a new PIN.");
  }
}

function phoneOf({ userId, phoneNumber }: Device) {
  if (!phoneNumber) throw new TypeError("The SMS device has no phone number");
  return { userId, phoneNumber };
}
