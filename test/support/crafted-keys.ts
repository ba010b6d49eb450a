import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { CoseKey, packAttestationObject, packAuthenticatorData, RpId } from "nid-webauthn-emulator";
import { ORIGIN } from "./keys.ts";

type Flags = {
  userPresent?: boolean;
  userVerified?: boolean;
  backupEligibility?: boolean;
  backupState?: boolean;
};

/** What a crafted answer says, where it differs from what an honest authenticator would say. */
export type Crafted = {
  origin?: string;
  rpId?: string;
  flags?: Flags;
  signCount?: number;
  /** Other members of the client data, such as `crossOrigin`. */
  clientData?: Record<string, unknown>;
  userHandle?: string;
  /** Signs with this key instead of its own. */
  signedBy?: KeyObject;
  /** Names another credential than its own. */
  credentialId?: string;
  /** The credential ID inside the authenticator's data, which the service stores. */
  attestedId?: string;
  /** The public key there. */
  attestedKey?: JsonWebKey;
};

type Options = { challenge: string };

const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64url"));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const PRESENT: Flags = { userPresent: true, userVerified: true };

/**
 * An authenticator whose every field can be chosen, packed by the data types of another library. It
 * shows how the service judges answers that honest authenticators and browsers never give.
 */
export function craftedKey(
  credentialId = randomBytes(32).toString("base64url"),
  { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" }),
) {
  const clientDataOf = (type: string, { challenge }: Options, crafted: Crafted) =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge,
        origin: crafted.origin ?? ORIGIN,
        crossOrigin: false,
        ...crafted.clientData,
      }),
    );

  const envelope = (id = credentialId) => ({
    id,
    rawId: id,
    type: "public-key" as const,
    clientExtensionResults: {},
  });

  return {
    credentialId,
    /** As the service stores it. */
    publicKey: base64url(CoseKey.fromKeyObject(publicKey).toBytes()),
    /** What `navigator.credentials.create()` would answer. */
    create(options: Options, crafted: Crafted = {}) {
      const authData = {
        rpIdHash: new RpId(crafted.rpId ?? "example.com").hash,
        flags: { ...PRESENT, ...crafted.flags, attestedCredentialData: true },
        signCount: crafted.signCount ?? 0,
        attestedCredentialData: {
          aaguid: new Uint8Array(16),
          credentialId: bytesOf(crafted.attestedId ?? credentialId),
          credentialPublicKey: crafted.attestedKey
            ? CoseKey.fromJwk(crafted.attestedKey)
            : CoseKey.fromKeyObject(publicKey),
        },
      };
      const attestationObject = packAttestationObject({ fmt: "none", attStmt: {}, authData });
      return {
        ...envelope(),
        response: {
          clientDataJSON: base64url(clientDataOf("webauthn.create", options, crafted)),
          attestationObject: base64url(attestationObject),
          transports: ["usb"],
        },
      };
    },
    /** What `navigator.credentials.get()` would answer. */
    get(options: Options, crafted: Crafted = {}) {
      const clientData = clientDataOf("webauthn.get", options, crafted);
      const authenticatorData = packAuthenticatorData({
        rpIdHash: new RpId(crafted.rpId ?? "example.com").hash,
        flags: { ...PRESENT, ...crafted.flags },
        signCount: crafted.signCount ?? 0,
      });
      const signed = Buffer.concat([authenticatorData, sha256(clientData)]);
      return {
        ...envelope(crafted.credentialId),
        response: {
          clientDataJSON: base64url(clientData),
          authenticatorData: base64url(authenticatorData),
          signature: base64url(sign("sha256", signed, crafted.signedBy ?? privateKey)),
          userHandle: crafted.userHandle,
        },
      };
    },
  };
}

/** How a user is named to authenticators: the bytes of the ID in base64url. */
export const handleOf = (userId: string) => base64url(Buffer.from(userId, "hex"));
