import { productOf } from "../../store/authenticators.ts";
import { isId } from "../../store/ids.ts";
import { configuredMethods, effectiveDefault, type Method } from "../../store/methods.ts";
import { maskPhoneNumber } from "../../store/phones.ts";
import { getDevice } from "../../store/postgres/devices.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import { countRecoveryCodes } from "../../store/postgres/recovery-codes.ts";
import type { Device } from "../../store/postgres/schema.ts";
import { credentialOf } from "../../store/postgres/webauthn-credentials.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { requirementOf } from "../../store/requirement.ts";
import type { EnrollmentView } from "../../workflows/view-types.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { requireSetUpRight } from "./set-up-rights.ts";

/** A device as its owner sees it. `state` and `next` describe an enrollment that is under way. */
export type DeviceView = {
  id: string;
  type: Method;
  name: string | null;
  phoneNumber: string | null;
  verified: boolean;
  createdAt: string;
  /** When a login was last completed with it. */
  lastUsedAt: string | null;
  /** A security key's model, or where a passkey is kept; null if that is not known. */
  product: string | null;
  state: EnrollmentView["state"];
  delivery: "sent" | "delivered" | null;
  problem: string | null;
  triesRemaining: number | null;
  next: EnrollmentView["next"];
};

export type MultiFactor = {
  enabled: boolean;
  required: boolean;
  defaultMethod: Method | null;
  devices: DeviceView[];
  recoveryCodes: { remaining: number };
  locked: boolean;
};

/** Everything about the user's second factor. */
export async function getMultiFactor(
  deps: CoreDeps,
  { userId }: Pick<Session, "userId">,
): Promise<MultiFactor> {
  const [profile, remaining] = await Promise.all([
    getMfaProfile(deps.db, userId),
    countRecoveryCodes(deps.db, userId, new Date(deps.clock.now())),
  ]);
  if (!profile) throw new Problem("unauthenticated");
  const { user, account, devices } = profile;
  return {
    enabled: configuredMethods(devices).length > 0,
    required: requirementOf({ user, account }, deps.config).requirement === "required",
    defaultMethod: effectiveDefault(user.defaultMethod, devices) ?? null,
    devices: await Promise.all(devices.map((device) => viewDevice(deps, device))),
    recoveryCodes: { remaining },
    locked: user.lockedAt !== null,
  };
}

/**
 * The device with the state of its enrollment, which is queried if the caller has no view of it.
 */
export async function viewDevice(
  deps: CoreDeps,
  device: Device,
  enrollment?: EnrollmentView,
): Promise<DeviceView> {
  const view = enrollment ?? (await enrollmentOf(deps, device));
  return {
    id: device.id,
    type: device.type,
    name: device.name,
    phoneNumber: device.phoneNumber && maskPhoneNumber(device.phoneNumber),
    verified: device.verifiedAt !== null,
    createdAt: device.createdAt.toISOString(),
    lastUsedAt: device.lastUsedAt?.toISOString() ?? null,
    product: await productName(deps, device),
    state: view.state,
    delivery: view.delivery ?? null,
    problem: view.problem ?? null,
    triesRemaining: view.triesRemaining ?? null,
    next: view.next,
  };
}

async function productName({ db }: CoreDeps, { id, type }: Device): Promise<string | null> {
  const credential = type === "webauthn" ? await credentialOf(db, id) : undefined;
  return (credential && productOf(credential.aaguid)) ?? null;
}

/** The current state of the device's enrollment. */
export async function enrollmentOf(
  { db, flows }: CoreDeps,
  device: Device,
): Promise<EnrollmentView> {
  if (device.verifiedAt)
    return { state: "verified", next: device.type === "sms" ? [] : ["remove"] };
  if (device.inactiveAt) return { state: "verified", next: ["remove"] };
  const view = await flows.enrollment(device);
  // If its workflow is missing (a Temporal server lost its data), the device can still be removed.
  if (!view) return DROPPED;
  // A flow that has ended leaves no unverified device, unless PostgreSQL was restored to an earlier
  // point. The device may also have been verified since it was read.
  const hasEnded = view.state === "verified" || view.state === "removed";
  const now = hasEnded && (await getDevice(db, device.userId, device.id));
  return now && !now.verifiedAt && !now.inactiveAt ? DROPPED : view;
}

const DROPPED: EnrollmentView = { state: "dropped", next: ["remove"] };

/** The user's device. Throws `device_not_found`, also for another user's device. */
export async function ownDevice(
  deps: CoreDeps,
  { userId }: Pick<Session, "userId">,
  deviceId: string,
): Promise<Device> {
  const device = isId(deviceId) && (await getDevice(deps.db, userId, deviceId));
  if (!device) throw new Problem("device_not_found", "It may have been removed.");
  return device;
}

/**
 * The user's device if it is not verified yet. Throws `device_not_found`,
 * `device_verified_already`, `reauthentication_required`, `key_required`, and the 503 problem while
 * the flow has still to end the sessions: a login before that would be ended too.
 */
export async function unverifiedDevice(
  deps: CoreDeps,
  session: Session,
  deviceId: string,
): Promise<Unverified> {
  const device = await ownDevice(deps, session, deviceId);
  if (device.verifiedAt ?? device.inactiveAt) {
    const view = await deps.flows.enrollment(device);
    if (view && view.state !== "verified") throw beingVerified();
    throw new Problem("device_verified_already", "You can use it to log in.");
  }
  // Every further step with this device leads to a factor, so it needs a recent login.
  await requireRecentLogin(deps, session);
  await requireSetUpRight(deps, session, device.type);
  return { ...device, alone: !session.amr.includes("mfa"), by: session } as Unverified;
}

/**
 * What to do with a device once it is proven: make it the default, or keep it inactive until the user
 * turns multi-factor authentication on. `inactive` is undefined in accounts where a device counts at
 * once. The proof is refused if `inactive` is out of date by then.
 */
export type ProofOptions = { makeDefault: boolean; inactive?: boolean };

/** The code that proves a phone or an app. */
export type Proof = ProofOptions & { code: string };

/** The device as it is after its proof. */
export function proven({ clock }: CoreDeps, device: Device, inactive = false): Device {
  const at = new Date(clock.now());
  return { ...device, ...(inactive ? { inactiveAt: at } : { verifiedAt: at }) };
}

/** An unverified device, typed by its kind, so that each kind's functions take only their own. */
export type Unverified = UnverifiedOf<"sms"> | UnverifiedOf<"otp"> | UnverifiedOf<"webauthn">;

/** `by`: the session that sets up the device. `alone`: that session has no second factor. */
export type UnverifiedOf<K extends Method> = Device & { type: K; alone: boolean; by: Session };

/** Another request has taken the proof. This is no outage, so nothing is given back. */
const beingVerified = () =>
  new Problem("service_unavailable", "The device is being verified. Look again in a moment.", {
    retryAfterS: 1,
  });

/** Why the enrollment accepts nothing more, or not this request. */
export function enrollmentRefusal(view: EnrollmentView): Error {
  const members = { state: view.state };
  // A proof was taken but is not stored yet, so it is not known whether it counts.
  if (view.state === "verifying") return beingVerified();
  if (view.state === "pin_expired" || view.state === "pin_void")
    return new Problem("pin_expired", "Request a new PIN.", { members });
  if (view.state === "verified")
    return new Problem("device_verified_already", "There is nothing left to do.", { members });
  if (view.next.length === 0)
    return new Problem("device_not_found", "The device was removed.", { members });
  return new Problem("illegal_transition", `Not possible in the state ${view.state}.`, { members });
}
