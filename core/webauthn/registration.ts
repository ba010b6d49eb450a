import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import { COSEALG, decodeAttestationObject } from "@simplewebauthn/server/helpers";
import type { WebauthnCredential } from "../../store/postgres/schema.ts";
import { orRejected, refuseForeignFrame } from "./client-data.ts";
import type { RelyingParty } from "./relying-party.ts";

/** The same on every version of Node.js, because one may make a key and another check it. */
const ALGORITHMS = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256];

/** Web Authentication Level 3, 7.1. */
const MAX_ID_BYTES = 1023;

/** An RSA key of 4,096 bits, the largest in use, has 530. */
const MAX_PUBLIC_KEY_BYTES = 2000;

/** How a user is named in WebAuthn: the bytes of the user's opaque ID, in base64url. */
export const userHandleOf = (userId: string): string =>
  Buffer.from(userId, "hex").toString("base64url");

/**
 * The options for `navigator.credentials.create()`. Attestation is not asked for: it would tell us
 * which model it is, but also whose. `known`: the user's keys, which cannot be registered again.
 * `nonce`: that of earlier options, if they are shown again.
 */
export function registrationOptions(
  rp: RelyingParty,
  user: { id: string; username: string },
  known: readonly WebauthnCredential[],
  timeoutMs: number,
  nonce?: string,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    challenge: nonce === undefined ? undefined : new Uint8Array(Buffer.from(nonce, "base64url")),
    rpID: rp.id,
    rpName: rp.name,
    userID: new Uint8Array(Buffer.from(user.id, "hex")),
    userName: user.username,
    userDisplayName: user.username,
    timeout: timeoutMs,
    attestationType: "none",
    excludeCredentials: known.map(({ credentialId: id, transports }) => ({ id, transports })),
    authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
    extensions: { credProps: true },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/**
 * Refuses an attestation by certificates, which nobody asked for. To check one, the library would
 * fetch the lists of revoked certificates that it names. Throws an Error.
 */
function refuseCertificates(attestationObject: string): void {
  const bytes = new Uint8Array(Buffer.from(attestationObject, "base64url"));
  const statement = decodeAttestationObject(bytes).get("attStmt");
  if (statement.get("x5c") !== undefined || statement.get("response") !== undefined)
    throw new Error("The attestation has certificates");
}

/**
 * Refuses what no authenticator makes. The ID inside the signed data is the one that is stored; the
 * API bounds only the one beside it. Throws an Error.
 */
function refuseUnbounded(made: { id: string; publicKey: Uint8Array }, id: string): void {
  if (made.id !== id) throw new Error("The authenticator has made another credential ID");
  if (Buffer.byteLength(made.id, "base64url") > MAX_ID_BYTES)
    throw new Error("The credential ID is too long");
  if (made.publicKey.length > MAX_PUBLIC_KEY_BYTES) throw new Error("The public key is too long");
}

/**
 * The credential that an authenticator has made for these options (Web Authentication Level 3, 7.1).
 * Throws `credential_rejected`.
 */
export function verifyRegistration(
  rp: RelyingParty,
  response: RegistrationResponseJSON,
  nonce: string,
): Promise<Omit<WebauthnCredential, "deviceId">> {
  return orRejected(async () => {
    refuseForeignFrame(response.response.clientDataJSON, rp.origins);
    refuseCertificates(response.response.attestationObject);
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: nonce,
      expectedOrigin: rp.origins,
      expectedRPID: rp.id,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) throw new Error("The attestation is not valid");
    const { credential, aaguid, userVerified, credentialDeviceType, credentialBackedUp } =
      registrationInfo;
    refuseUnbounded(credential, response.id);
    return {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
      aaguid,
      transports: credential.transports ?? [],
      backupEligible: credentialDeviceType === "multiDevice",
      backedUp: credentialBackedUp,
      // Only a session registers keys, so a password or a passkey stands beside it.
      uvInitialized: userVerified,
    };
  });
}
