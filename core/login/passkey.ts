import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import type { ClientInfo } from "../../machines/methods.ts";
import { hashCode } from "../../store/codes.ts";
import { newOwnedId } from "../../store/ids.ts";
import { deviceLabel } from "../../store/postgres/devices.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import { getUser } from "../../store/postgres/users.ts";
import { type VerifiedKey, verifiedKeyOf } from "../../store/postgres/webauthn-credentials.ts";
import { keys } from "../../store/redis/keys.ts";
import { openChallenge } from "../../store/redis/second-step/challenges.ts";
import { forgetPasskeyNonce, usePasskeyNonce } from "../../store/redis/second-step/nonces.ts";
import { readEpochs } from "../../store/redis/sessions/revocations.ts";
import { note } from "../../telemetry/request-context.ts";
import { subjectOf } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { clientNetwork } from "../limits/client-network.ts";
import { type Spent, spendAll } from "../limits/spend-all.ts";
import { isOutage } from "../outages.ts";
import { Problem } from "../problem.ts";
import { assertionOptions, verifyAssertion } from "../webauthn/assertion.ts";
import { optionsUsed } from "../webauthn/client-data.ts";
import { type RelyingParty, relyingParty } from "../webauthn/relying-party.ts";
import { UNKNOWN_KEY } from "../webauthn/unknown-key.ts";
import { challengeExpired, challengeNotFound } from "./challenges.ts";
import { type Answer, type Authenticated, completeChallenge } from "./complete-challenge.ts";
import { isRepeatable, newNonce, useKey } from "./keys.ts";
import { refuseLocked } from "./lock.ts";
import { measured } from "./login-metrics.ts";
import { passkeyRequestId, readPasskeyRequest } from "./passkey-requests.ts";
import { spendRightPasskey } from "./password-limits.ts";

/** What the login page needs to offer a login by passkey, and until when. */
export type PasskeyRequest = {
  id: string;
  options: PublicKeyCredentialRequestOptionsJSON;
  expiresAt: string;
};

/** Offers a login by passkey. Costs neither storage nor Temporal. Throws `webauthn_unavailable`. */
export async function offerPasskey({ config, clock }: CoreDeps): Promise<PasskeyRequest> {
  const rp = relyingParty(config);
  const { lifetimeMs: timeoutMs } = config.limits.passkeys;
  const nonce = newNonce();
  const expiresAt = clock.now() + timeoutMs;
  return {
    id: passkeyRequestId(config, nonce, expiresAt),
    options: await assertionOptions(rp, { nonce, timeoutMs }),
    expiresAt: new Date(expiresAt).toISOString(),
  };
}

type Given = { id: string; credential: AuthenticationResponseJSON };

/**
 * A whole login by a passkey that its user unlocked: two factors in one (NIST SP 800-63B-4 3.1.7).
 * Throws `passkey_rejected`, with the same words and after the same work whether the passkey is known
 * or not, `webauthn_options_used`, `challenge_expired`, `challenge_not_found`, `passkey_login_off`,
 * `passkey_needs_password`, `account_locked`, `login_throttled`, `too_many_requests`.
 */
export async function logInByPasskey(
  deps: CoreDeps,
  given: Given,
  origin: ClientInfo,
): Promise<Authenticated> {
  const ended = () => ({ outcome: "authenticated", method: "webauthn" });
  return measured("passkey", wholeLogin(deps, given, origin), ended, "webauthn");
}

async function wholeLogin(
  deps: CoreDeps,
  { id, credential: response }: Given,
  origin: ClientInfo,
): Promise<Authenticated> {
  const { config, clock } = deps;
  const rp = relyingParty(config);
  const request = readPasskeyRequest(config, id);
  if (!request) throw challengeNotFound();
  if (clock.now() >= request.expiresAt) throw challengeExpired();
  const guess = await spendGuess(deps, origin);
  // Taken before the signature is looked at, so an answer is judged only once. Kept for twice the
  // time of the request, for clocks that differ.
  const keepMs = 2 * config.limits.passkeys.lifetimeMs;
  if (!(await usePasskeyNonce(deps.redis, request.nonce, keepMs))) throw optionsUsed();
  const attempt = { guess, mayRepeat: true };
  try {
    return await judgeAndLogIn(deps, rp, request.nonce, response, attempt, origin);
  } catch (error) {
    // An outage costs nothing: the same answer may be sent again.
    if (isOutage(error) && attempt.mayRepeat) {
      const undo = [guess.giveBack(), forgetPasskeyNonce(deps.redis, request.nonce)];
      await Promise.all(undo).catch(() => {});
    }
    throw error;
  }
}

/**
 * One answer. `mayRepeat`: it may be sent again, because neither its counter nor a session of it can be
 * stored yet.
 */
type Attempt = { guess: Spent; mayRepeat: boolean };

async function judgeAndLogIn(
  deps: CoreDeps,
  rp: RelyingParty,
  nonce: string,
  response: AuthenticationResponseJSON,
  attempt: Attempt,
  origin: ClientInfo,
): Promise<Authenticated> {
  const known = await verifiedKeyOf(deps.db, response.id);
  const checked = verifyAssertion(
    rp,
    { response, nonce, requireUserVerification: true },
    known ?? UNKNOWN_KEY,
  );
  const assertion = await checked.catch(asRejected);
  if (!known) throw rejected();
  await attempt.guess.giveBack();
  note({ userId: known.device.userId });
  // Whoever found a key without a PIN may have given it one (Web Authentication Level 3, 7.2). This is
  // told only to somebody who has the key.
  if (!known.credential.uvInitialized)
    throw new Problem(
      "passkey_needs_password",
      "It was added without its PIN. Log in with your user name, password and this key once.",
    );
  await spendRightPasskey(deps, known.device.userId);
  attempt.mayRepeat = isRepeatable(assertion);
  await useKey(deps, known, assertion, origin).catch(asRejected);
  return openFor(deps, known, attempt, origin);
}

/** One of the address's refused logins; given back after a right one. */
function spendGuess({ redis, clock, config }: CoreDeps, { ip = "unknown" }: ClientInfo) {
  const key = keys.passkeyLogins(hashCode(config.CODE_KEY, "passkey", clientNetwork(ip)));
  const rules = [config.limits.passkeys.perAddress];
  return spendAll(redis, clock.now(), [{ key, rules }], {
    code: "login_throttled",
    detail: "Too many refused passkeys. Wait, then try again.",
  });
}

/** Opens a challenge that is answered at once, so that this login has a history as any other. */
async function openFor(
  deps: CoreDeps,
  { device: { id: deviceId, userId, ...device } }: VerifiedKey,
  attempt: Attempt,
  origin: ClientInfo,
): Promise<Authenticated> {
  const { db, redis, flows, clock, config } = deps;
  const owner = await getUser(db, userId);
  if (!owner) throw rejected();
  // Read before the device is read again: whatever ends sessions after this, ends this one too.
  const epochs = await readEpochs(redis, userId, owner.accountId);
  const profile = await getMfaProfile(db, userId);
  const isStillHere = profile?.devices.some(({ id, verifiedAt }) => id === deviceId && verifiedAt);
  if (!profile || !isStillHere) throw rejected();
  await refuseLocked(deps, profile.user, origin);
  if (!profile.account.passkeyLogin)
    throw new Problem("passkey_login_off", "Log in with your user name and password.");
  const { challengeMs: lifetimeMs } = config.limits;
  const subject = subjectOf(profile.user);
  const challengeId = newOwnedId(userId);
  const now = clock.now();
  const record = { challengeId, ...subject, epochs, expiresAt: now + lifetimeMs, hasKey: true };
  if (!(await openChallenge(redis, { ...record, now })))
    throw new Problem("service_unavailable", "Your devices are being changed. Log in again.", {
      retryAfterS: 1,
    });
  const method = "webauthn" as const;
  const args = { ...subject, challengeId, method, methods: [method], lifetimeMs, maySend: false };
  await flows.startLoginChallenge(args);
  const answer: Answer = {
    accountId: subject.accountId,
    epochs,
    scope: "full",
    at: now,
    factor: method,
    // RFC 8176: it has the key, and its user unlocked it.
    amr: ["pop", "user", "mfa"],
    device: { id: deviceId, name: deviceLabel(device) },
  };
  // Each try opens a challenge of its own, so only this keeps one answer from opening two sessions.
  attempt.mayRepeat = false;
  return completeChallenge(deps, challengeId, answer, origin, { showsFailedLogins: true });
}

const rejected = (cause?: unknown) =>
  new Problem(
    "passkey_rejected",
    "Use another passkey, or your user name and password.",
    {},
    cause,
  );

/** The same words as for an unknown passkey. */
function asRejected(error: unknown): never {
  throw error instanceof Problem && error.code === "credential_rejected" ? rejected(error) : error;
}
