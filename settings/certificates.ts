import { createPrivateKey, X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in its order. Throws if one cannot be read. */
const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));

/** Whether the text has certificates in PEM, and each can be read. */
export function areCertificates(pem: string): boolean {
  try {
    return certificatesIn(pem).length > 0;
  } catch {
    return false;
  }
}

/** Whether the text is a private key in PEM without a passphrase. */
export function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === "private";
  } catch {
    return false;
  }
}

/** Whether this is the private key of the first of these certificates. */
export const isKeyOf = (key: string, certificates: string): boolean =>
  certificatesIn(certificates)[0]?.checkPrivateKey(createPrivateKey(key)) === true;

/** When the first of these certificates expires (epoch ms); Infinity if there is none. */
export const firstExpiry = (pem: string): number =>
  Math.min(...certificatesIn(pem).map(({ validTo }) => Date.parse(validTo)));

/** When the first of these certificates expired, if it has at `now` (epoch ms). */
export function expiredSince(pem: string, now: number): Date | undefined {
  const first = firstExpiry(pem);
  return first < now ? new Date(first) : undefined;
}
