import { firstExpiry } from "../settings/certificates.ts";

const known = new Map<string, number>();

/**
 * Remembers when the certificates in a PEM expire, under this name for the metric; of several
 * certificates the one that expires first. A later call with the same name replaces it. Throws if
 * the PEM cannot be read.
 */
export function noteCertificate(name: string, pem: string): void {
  const first = firstExpiry(pem);
  if (first < Number.POSITIVE_INFINITY) known.set(name, first);
}

/** The known certificates, each with the seconds until it expires; negative once it has. */
export function certificates(nowMs: number): { certificate: string; seconds: number }[] {
  return [...known].map(([certificate, end]) => ({ certificate, seconds: (end - nowMs) / 1000 }));
}
