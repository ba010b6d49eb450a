import { randomBytes } from "node:crypto";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import type { ClientInfo } from "../../machines/methods.ts";
import { ownerOf } from "../../store/ids.ts";
import { aheadOfPasswords } from "../../store/passwords.ts";
import { deviceLabel } from "../../store/postgres/devices.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import { getUser } from "../../store/postgres/users.ts";
import {
  credentialOf,
  storeUse,
  type VerifiedKey,
  verifiedKeyOf,
  verifiedKeysOf,
} from "../../store/postgres/webauthn-credentials.ts";
import { offerNonce, returnNonce, takeNonce } from "../../store/redis/second-step/nonces.ts";
import { note } from "../../telemetry/request-context.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { isOutage } from "../outages.ts";
import { Problem } from "../problem.ts";
import { type Assertion, assertionOptions, verifyAssertion } from "../webauthn/assertion.ts";
import { credentialRejected, optionsUsed } from "../webauthn/client-data.ts";
import { findRelyingParty, relyingParty } from "../webauthn/relying-party.ts";
import { accountLocked, challengeBounds, challengeNotFound, endedProblem } from "./challenges.ts";
import { type Answer, type Authenticated, completeChallenge } from "./complete-challenge.ts";
import { recordFailedStep } from "./failed-steps.ts";
import { measured } from "./login-metrics.ts";

/** A new nonce for an authenticator to sign: 256 random bits in base64url. */
export const newNonce = (): string => randomBytes(32).toString("base64url");

/**
 * A nonce for these keys, with what the browser needs to ask them for an answer. Undefined if there
 * is none, or no relying party is known any more.
 */
export async function askKeys(
  { config }: Pick<CoreDeps, "config">,
  keys: readonly VerifiedKey[],
): Promise<{ nonce: string; options: PublicKeyCredentialRequestOptionsJSON } | undefined> {
  const rp = findRelyingParty(config);
  if (!rp || keys.length === 0) return undefined;
  const nonce = newNonce();
  const timeoutMs = config.limits.challengeMs;
  return { nonce, options: await assertionOptions(rp, { keys, nonce, timeoutMs }) };
}

/**
 * What the browser needs to ask the user's keys for an answer to the challenge. Older options of it
 * stop working. Throws `method_not_configured` if the user has no key, and as `verifyKey`.
 */
export async function keyOptions(
  deps: CoreDeps,
  id: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  relyingParty(deps.config);
  const bounds = boundsOf(deps, id);
  const asked = await askKeys(deps, await verifiedKeysOf(deps.db, bounds.userId));
  const outcome = await offerNonce(deps.redis, { ...bounds, nonce: asked?.nonce ?? newNonce() });
  if (outcome !== "offered") throw refusalOf(deps, id, outcome);
  if (!asked) throw new Problem("method_not_configured", "You have no security key or passkey.");
  return asked.options;
}

/**
 * The second step of a login by a security key or passkey. A refused answer costs nothing towards
 * the lock: nobody can guess a signature. Throws `credential_rejected`, `webauthn_options_used` for a
 * second answer to the same options, `challenge_expired`, `illegal_transition` for a used challenge,
 * `challenge_not_found`, `account_locked`.
 */
export async function verifyKey(
  deps: CoreDeps,
  id: string,
  response: AuthenticationResponseJSON,
  origin: ClientInfo,
): Promise<Authenticated> {
  const answered = aheadOfPasswords(() => secondStep(deps, id, response, origin));
  const ended = () => ({ outcome: "authenticated", method: "webauthn" });
  return measured("passcode", answered, ended, "webauthn");
}

async function secondStep(
  deps: CoreDeps,
  id: string,
  response: AuthenticationResponseJSON,
  origin: ClientInfo,
): Promise<Authenticated> {
  const rp = relyingParty(deps.config);
  const bounds = boundsOf(deps, id);
  note({ userId: bounds.userId });
  const { assertionsPerChallenge: assertionsAllowed } = deps.config.limits;
  // Taken before the signature is looked at, so an answer is judged only once.
  const taken = await takeNonce(deps.redis, { ...bounds, assertionsAllowed });
  if (taken.outcome !== "taken") throw refusalOf(deps, id, taken.outcome);
  const { nonce, outcome: _, ...login } = taken;
  let repeatable = true;
  try {
    const key = await verifiedKeyOf(deps.db, response.id);
    if (key?.device.userId !== bounds.userId) throw credentialRejected();
    const assertion = await verifyAssertion(
      rp,
      { response, nonce, requireUserVerification: false },
      key,
    );
    repeatable = isRepeatable(assertion);
    await useKey(deps, key, assertion, origin);
    const device = { id: key.device.id, name: deviceLabel(key.device) };
    const answer: Answer = {
      ...login,
      factor: "webauthn",
      amr: ["pwd", "pop", "mfa"],
      scope: "full",
      at: bounds.now,
      device,
    };
    return await completeChallenge(deps, id, answer, origin, { showsFailedLogins: true });
  } catch (error) {
    // An outage costs nothing: the same answer may be sent again.
    if (isOutage(error) && repeatable) await returnNonce(deps.redis, bounds, nonce).catch(() => {});
    if (error instanceof Problem && error.code === "credential_rejected")
      await recordFailedStep(deps, id, { method: "webauthn", reason: "not_accepted" }, origin);
    throw error;
  }
}

/**
 * Whether the answer of a key may be judged again after an outage. If it counts, its counter may be
 * stored by then, and would look like that of a copy.
 */
export const isRepeatable = ({ counter }: Assertion): boolean => counter === 0;

/**
 * Judges and stores the key's counter, after its signature was right. A counter that went back may
 * mean that the key was copied: it is refused as any wrong answer, and its owner and Support are
 * told. Also stores that the key was unlocked, which the first time is after a password. Throws `credential_rejected`.
 */
export async function useKey(
  deps: Pick<CoreDeps, "db" | "clock">,
  { device, credential }: VerifiedKey,
  { counter, backedUp, userVerified }: Assertion,
  origin: ClientInfo,
): Promise<void> {
  // Most keys never count, so there is nothing to store.
  const isNothingNew = counter === 0 && credential.counter === 0;
  const uvInitialized = credential.uvInitialized || userVerified;
  const isSame = backedUp === credential.backedUp && uvInitialized === credential.uvInitialized;
  if (isNothingNew && isSame) return;
  if (await storeUse(deps.db, { deviceId: device.id, counter, backedUp, uvInitialized })) return;
  if (!(await credentialOf(deps.db, device.id)))
    throw credentialRejected(new Error("It was removed"));
  const user = await getUser(deps.db, device.userId);
  if (user) {
    const detail = { deviceId: device.id, device: deviceLabel(device), counter };
    const event = userEvent(deps, subjectOf(user), "key_counter_regressed", origin, detail);
    // One event until the key is used rightly again: whoever has a copy can sign any lower counter.
    const key = `key_counter_regressed/${device.id}/${credential.counter}`;
    await recordEvent(deps.db, { ...event, key });
  }
  throw credentialRejected(new Error(`The counter went from ${credential.counter} to ${counter}`));
}

function boundsOf({ clock, config }: CoreDeps, challengeId: string) {
  const userId = ownerOf(challengeId);
  if (!userId) throw challengeNotFound();
  return { userId, challengeId, now: clock.now(), ...challengeBounds(config) };
}

type Refused = Exclude<Awaited<ReturnType<typeof offerNonce>>, "offered">;

/** The problem of a challenge that gives out or takes no nonce. */
function refusalOf(deps: CoreDeps, id: string, outcome: Refused): Problem {
  if (outcome === "locked") return accountLocked();
  if (outcome === "none") return optionsUsed();
  return endedProblem(deps, id, outcome);
}
