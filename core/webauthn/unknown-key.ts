import type { VerifiedKey } from "../../store/postgres/webauthn-credentials.ts";

/**
 * Stands in for a passkey that nobody has registered, so that refusing it takes as long as refusing
 * a wrong signature of a known one. Its private key was never stored. Even a right signature would
 * open nothing, because no user has this key.
 */
export const UNKNOWN_KEY: VerifiedKey = {
  device: {
    id: "",
    userId: "0".repeat(32),
    type: "webauthn",
    name: "",
    countryCode: null,
    phoneNumber: null,
    secret: null,
    verifiedAt: null,
    inactiveAt: null,
    createdAt: new Date(0),
    lastUsedAt: null,
  },
  credential: {
    deviceId: "",
    credentialId: "",
    publicKey:
      "pQECAyYgASFYIPsYIQh8zmk6iQt_mbeUmPYYLBJ66E9Oi6v6a8H-NqbpIlggM1tFdJqqC2bQLXFEt_GMzpWeXG835AfmHL2litMYm8Y",
    counter: 0,
    aaguid: "",
    transports: [],
    backupEligible: false,
    backedUp: false,
    uvInitialized: false,
  },
};
