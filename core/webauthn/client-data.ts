import { decodeClientDataJSON } from "@simplewebauthn/server/helpers";
import { Problem } from "../problem.ts";

/**
 * Refuses an answer from a page that stands in a frame of another site, unless that site is one of
 * ours (Web Authentication Level 3, 7.1 step 10 and 7.2 step 14). The library accepts a frame that
 * does not say where it stands. Throws an Error.
 */
export function refuseForeignFrame(clientDataJSON: string, origins: string[]): void {
  const { crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON);
  if (!crossOrigin && topOrigin === undefined) return;
  if (topOrigin === undefined || !origins.includes(topOrigin))
    throw new Error("The key was asked in a frame of another site");
}

/** What `check` answers; anything that it throws becomes `credential_rejected`, with the cause. */
export async function orRejected<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (cause) {
    throw credentialRejected(cause);
  }
}

/** The refusal of a key's answer. Why is only in the log: it would help nobody but an attacker. */
export const credentialRejected = (cause?: unknown) =>
  new Problem("credential_rejected", "Try again, or use another one.", {}, cause);

/** The refusal of an answer to options that were answered before, or have expired. */
export const optionsUsed = () =>
  new Problem("webauthn_options_used", "They work once, for a short time. Request new options.");
