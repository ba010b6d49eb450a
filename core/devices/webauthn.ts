import type {
  PublicKeyCredentialCreationOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import type { ClientInfo } from "../../machines/methods.ts";
import { newId } from "../../store/ids.ts";
import { getDevice, markOf } from "../../store/postgres/devices.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import type { WebauthnCredential } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import { storeCredential, verifiedKeysOf } from "../../store/postgres/webauthn-credentials.ts";
import {
  readSetUpNonce,
  returnSetUpNonce,
  storeSetUpNonce,
  takeSetUpNonce,
} from "../../store/redis/second-step/nonces.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import type { CoreDeps } from "../deps.ts";
import { isOutage } from "../outages.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";
import { optionsUsed } from "../webauthn/client-data.ts";
import { registrationOptions, verifyRegistration } from "../webauthn/registration.ts";
import { type RelyingParty, relyingParty } from "../webauthn/relying-party.ts";
import { acceptProof, type Verified } from "./accept-proof.ts";
import {
  type DeviceView,
  enrollmentRefusal,
  type ProofOptions,
  type UnverifiedOf,
  viewDevice,
} from "./devices.ts";
import { moveEnrollment, spendEnrollmentRequest } from "./enrollment-requests.ts";
import { enrollNamedDevice } from "./named-devices.ts";

type Key = UnverifiedOf<"webauthn">;

/** What the browser needs to make a credential, and until when. */
export type KeySetup = {
  device: DeviceView;
  options: PublicKeyCredentialCreationOptionsJSON;
  expiresAt: string;
};

/**
 * Registers a security key or passkey under a nickname. Throws `webauthn_unavailable`,
 * `too_many_devices`, `too_many_requests` and `reauthentication_required`. After a 503 no device is
 * left.
 */
export async function registerKey(
  deps: CoreDeps,
  session: Session,
  name: string,
  origin: ClientInfo,
): Promise<KeySetup> {
  await requireRecentLogin(deps, session);
  relyingParty(deps.config);
  const { userId, accountId } = session;
  const { keyEnrollmentMs: lifetimeMs, keys: most } = deps.config.limits;
  const id = newId();
  const device = await enrollNamedDevice(
    deps,
    session,
    { type: "webauthn", id, name },
    { added: "webauthn_device_added", plural: "security keys and passkeys", most },
    origin,
    () => deps.flows.startWebauthnEnrollment({ userId, accountId, deviceId: id, lifetimeMs }),
  );
  return setupOf(deps, userId, device);
}

/**
 * Asks the browser again for a credential, if the first try was cancelled or failed. Older options
 * stop working. The deadline stays the same. Throws `webauthn_unavailable`, and as
 * `moveEnrollment` if the set-up has ended.
 */
export async function restartKey(
  deps: CoreDeps,
  device: Key,
  origin: ClientInfo,
): Promise<KeySetup> {
  relyingParty(deps.config);
  await spendEnrollmentRequest(deps, device, origin);
  const { moved, view } = await moveEnrollment(deps, device, "restart", {}, origin);
  if (!moved) throw enrollmentRefusal(view);
  return setupOf(deps, device.userId, await viewDevice(deps, device, view));
}

/** The options as they were given out; undefined if an answer to them was taken. */
export async function sameKeySetup(deps: CoreDeps, device: Key): Promise<KeySetup | undefined> {
  const { userId, id: deviceId } = device;
  const nonce = await readSetUpNonce(deps.redis, { userId, deviceId }, deps.clock.now());
  return nonce === undefined
    ? undefined
    : setupOf(deps, userId, await viewDevice(deps, device), nonce);
}

/** `kept`: the nonce of earlier options, which go on to work. */
async function setupOf(
  deps: CoreDeps,
  userId: string,
  device: DeviceView,
  kept?: string,
): Promise<KeySetup> {
  const { db, redis, clock, config } = deps;
  const user = await getUser(db, userId);
  if (!user) throw new Problem("unauthenticated");
  const known = (await verifiedKeysOf(db, userId)).map(({ credential }) => credential);
  const expiresAt = Date.parse(device.createdAt) + config.limits.keyEnrollmentMs;
  const leftMs = Math.max(1, expiresAt - clock.now());
  const options = await registrationOptions(relyingParty(config), user, known, leftMs, kept);
  const nonce = { nonce: options.challenge, expiresAt };
  if (kept === undefined) await storeSetUpNonce(redis, { userId, deviceId: device.id }, nonce);
  return { device, options, expiresAt: new Date(expiresAt).toISOString() };
}

type KeyProof = ProofOptions & { credential: RegistrationResponseJSON };

/**
 * Proves the key by the credential that it has made. The user is logged out to log in with it,
 * unless it does not become the default: then the session gains the factor. Throws
 * `credential_rejected`, `credential_registered`, and `webauthn_options_used` for a second answer to
 * the same options.
 */
export async function verifyKeyCredential(
  deps: CoreDeps,
  device: Key,
  proof: KeyProof,
  origin: ClientInfo,
): Promise<Verified> {
  const rp = relyingParty(deps.config);
  await spendEnrollmentRequest(deps, device, origin);
  const { userId, id: deviceId } = device;
  // Taken before anything is looked at, so an answer is judged only once.
  const nonce = await takeSetUpNonce(deps.redis, { userId, deviceId }, deps.clock.now());
  if (!nonce) throw optionsUsed();
  try {
    return await judgeAndStore(deps, rp, device, { ...proof, nonce }, origin);
  } catch (error) {
    // An outage costs nothing: the same answer may be sent again.
    const expiresAt = device.createdAt.getTime() + deps.config.limits.keyEnrollmentMs;
    if (isOutage(error))
      await returnSetUpNonce(deps.redis, { userId, deviceId }, { nonce, expiresAt }).catch(
        () => {},
      );
    throw error;
  }
}

async function judgeAndStore(
  deps: CoreDeps,
  rp: RelyingParty,
  device: Key,
  { credential: response, nonce, ...options }: KeyProof & { nonce: string },
  origin: ClientInfo,
): Promise<Verified> {
  const credential = await verifyRegistration(rp, response, nonce).catch(async (error) => {
    const { moved, view } = await moveEnrollment(deps, device, "rejectCredential", {}, origin);
    throw moved ? error : enrollmentRefusal(view);
  });
  await keepCredential(deps, device, { ...credential, deviceId: device.id });
  const sealedAs = markOf(credential.credentialId);
  return acceptProof(deps, device, options, { sealedAs, amr: ["mfa"], origin }, (facts, updateId) =>
    moveEnrollment(deps, device, "acceptCredential", facts, origin, updateId),
  );
}

/** Stores the credential before the enrollment hears of it: no history holds one. */
async function keepCredential(
  deps: CoreDeps,
  { userId, by: session }: Key,
  credential: WebauthnCredential,
): Promise<void> {
  await holdingUser(deps.db, userId, async (tx) => {
    await requireStillLive({ ...deps, db: tx }, session);
    const device = await getDevice(tx, userId, credential.deviceId);
    if (!device) throw new Problem("device_not_found", "The device was removed.");
    if (device.verifiedAt ?? device.inactiveAt)
      throw new Problem("device_verified_already", "You can use it to log in.");
    if (!(await storeCredential(tx, credential)))
      throw new Problem(
        "credential_registered",
        "Remove it where it is registered, or use another.",
      );
  });
}
