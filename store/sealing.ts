import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export type SealingKey = { id: string; key: Buffer };

/** The first key seals; every key unseals. */
export type Keyring = readonly SealingKey[];

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;
const SEALED = /^v1\.([a-z0-9-]{1,16})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/**
 * Encrypts a text for one record with the keyring's first key. The result is `v1.<key
 * id>.<nonce>.<ciphertext and tag>`.
 */
export function seal(keyring: Keyring, plaintext: Buffer | string, recordId: string): string {
  const [active] = keyring;
  if (!active) {
    throw new Error("The keyring is empty");
  }
  // 96 random bits, NIST SP 800-38D section 8.2.2. We stay far below its 2^32 messages per key.
  const nonce = randomBytes(12);
  const cipher = createCipheriv(CIPHER, active.key, nonce);
  cipher.setAAD(Buffer.from(recordId));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `v1.${active.id}.${nonce.toString("base64url")}.${sealed.toString("base64url")}`;
}

/**
 * Decrypts what `seal` made for this record. Throws if it was changed or moved, or if its key is
 * gone.
 */
export function unseal(keyring: Keyring, sealed: string, recordId: string): Buffer {
  const { keyId, nonce, body } = parse(sealed);
  const found = keyring.find(({ id }) => id === keyId);
  if (!found) {
    throw new Error(`No sealing key "${keyId}" in the keyring`);
  }
  const decipher = createDecipheriv(CIPHER, found.key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(recordId));
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
}

/** The ID of the key that sealed this text. Throws if it is not sealed text. */
export function sealedWith(sealed: string): string {
  return parse(sealed).keyId;
}

function parse(sealed: string) {
  const [, keyId, nonce, body] = SEALED.exec(sealed) ?? [];
  if (!keyId || !nonce || !body) {
    throw new Error("Not sealed text");
  }
  return {
    keyId,
    nonce: Buffer.from(nonce, "base64url"),
    body: Buffer.from(body, "base64url"),
  };
}
