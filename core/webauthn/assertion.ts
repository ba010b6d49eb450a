import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from "@simplewebauthn/server";
import type { VerifiedKey } from "../../store/postgres/webauthn-credentials.ts";
import { orRejected, refuseForeignFrame } from "./client-data.ts";
import { userHandleOf } from "./registration.ts";
import type { RelyingParty } from "./relying-party.ts";

/**
 * What the answer has to prove: that the user has one of these keys, or, without `keys`, also that
 * they unlocked it (by its PIN, or a finger), because no password was asked.
 */
type Asked = { keys?: readonly VerifiedKey[]; nonce: string; timeoutMs: number };

/** The options for `navigator.credentials.get()`. */
export function assertionOptions(
  rp: RelyingParty,
  { keys, nonce, timeoutMs }: Asked,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: new Uint8Array(Buffer.from(nonce, "base64url")),
    timeout: timeoutMs,
    userVerification: userVerificationFor(keys),
    allowCredentials: keys?.map(({ credential: { credentialId: id, transports } }) => ({
      id,
      transports,
    })),
  });
}

/** After a password a key is unlocked only where that makes it log in alone from then on. */
function userVerificationFor(keys: Asked["keys"]) {
  if (!keys) return "required";
  return keys.every(({ credential }) => credential.uvInitialized) ? "discouraged" : "preferred";
}

/** What a right signature says about the key. */
export type Assertion = { counter: number; backedUp: boolean; userVerified: boolean };

/**
 * Checks the key's answer (Web Authentication Level 3, 7.2), but not yet its counter.
 * `requireUserVerification`: no password was asked, so the user must have unlocked the key, and not
 * for the first time; and the key must name its user. Throws `credential_rejected`.
 */
export function verifyAssertion(
  rp: RelyingParty,
  {
    response,
    nonce,
    requireUserVerification,
  }: { response: AuthenticationResponseJSON; nonce: string; requireUserVerification: boolean },
  { device, credential }: VerifiedKey,
): Promise<Assertion> {
  return orRejected(async () => {
    const { clientDataJSON, userHandle } = response.response;
    refuseForeignFrame(clientDataJSON, rp.origins);
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: nonce,
      expectedOrigin: rp.origins,
      expectedTopOrigin: rp.origins,
      expectedRPID: rp.id,
      credential: {
        id: credential.credentialId,
        publicKey: new Uint8Array(Buffer.from(credential.publicKey, "base64url")),
        // The library would judge the counter before the signature. We judge it after, by `storeUse`.
        counter: 0,
      },
      requireUserVerification,
    });
    if (!verified) throw new Error("The signature is wrong");
    const names = userHandle === undefined || userHandle === "" ? undefined : userHandle;
    if (names === undefined ? requireUserVerification : names !== userHandleOf(device.userId))
      throw new Error("The key names another user");
    const {
      newCounter: counter,
      credentialDeviceType,
      credentialBackedUp: backedUp,
      userVerified,
    } = authenticationInfo;
    if ((credentialDeviceType === "multiDevice") !== credential.backupEligible)
      throw new Error("The key has changed whether it can be backed up");
    return { counter, backedUp, userVerified };
  });
}
