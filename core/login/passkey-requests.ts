import { timingSafeEqual } from "node:crypto";
import type { Config } from "../../config.ts";
import { hashCode, hashesOf } from "../../store/codes.ts";

type Keys = Pick<Config, "CODE_KEY">;

/**
 * The ID of a login by passkey that may begin: its nonce and its deadline (epoch ms), signed by us.
 * It is stored nowhere, so a view of the login page costs no storage.
 */
export const passkeyRequestId = ({ CODE_KEY }: Keys, nonce: string, expiresAt: number): string =>
  [nonce, expiresAt, hashCode(CODE_KEY, "passkey", nonce, String(expiresAt))].join(".");

/** The nonce and the deadline of an ID; undefined if we have not made it. */
export function readPasskeyRequest(
  { CODE_KEY }: Keys,
  id: string,
): { nonce: string; expiresAt: number } | undefined {
  const [nonce = "", expiresAt = "", hash = "", ...rest] = id.split(".");
  const given = Buffer.from(hash);
  const isOurs = hashesOf(CODE_KEY, "passkey", nonce, expiresAt)
    .map((known) => Buffer.from(known))
    .some((known) => known.length === given.length && timingSafeEqual(known, given));
  return isOurs && rest.length === 0 ? { nonce, expiresAt: Number(expiresAt) } : undefined;
}
