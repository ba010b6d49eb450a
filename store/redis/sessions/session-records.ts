import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { newOwnedId, ownerOf } from "../../ids.ts";
import type { Role } from "../../postgres/schema.ts";
import type { Revocation } from "./revocations.ts";

export type SessionScope = "full" | "mfa_setup";

export type Session = {
  id: string;
  userId: string;
  accountId: string;
  username: string;
  role: Role;
  scope: SessionScope;
  /** RFC 8176; contains "mfa" if a second factor was used. */
  amr: string[];
  /** Times in epoch ms. */
  authenticatedAt: number;
  createdAt: number;
  lastSeenAt: number;
  expiresAt: number;
  ip?: string;
  userAgent?: string;
};

/**
 * What Redis stores: the session, the epochs in which it was opened, and only the hash of its
 * secret.
 */
export type SessionRecord = {
  session: Session;
  epochs: { user: number; account: number; accountKeys: number; generation?: string };
  secretHash: string;
  revoked?: string;
};

export type SessionState =
  | { ok: true; session: Session }
  | { ok: false; code: "session_revoked"; reason: string }
  | { ok: false; code: "session_expired"; reason: "idle" | "lifetime" };

/** A new session ID and its token `id.secret`; the secret has 256 random bits. */
export function newToken(userId: string) {
  const id = newOwnedId(userId);
  const secret = randomBytes(32).toString("base64url");
  return { id, token: `${id}.${secret}`, secretHash: hashOf(secret) };
}

/** The parts of a token; undefined if the text is not one. */
export function parseToken(token: string) {
  const [id = "", secret, ...rest] = token.split(".");
  const userId = ownerOf(id);
  return userId && secret && rest.length === 0 ? { id, userId, secret } : undefined;
}

/** Whether the secret is the record's, compared in constant time. */
export function isSecret(record: SessionRecord, secret: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(record.secretHash));
}

/** Whether the session had a second factor. If so, it survives a new requirement of its account. */
export function hasSecondFactor({ amr }: Pick<Session, "amr">): boolean {
  return amr.includes("mfa");
}

/**
 * Whether the session's login used a security key or passkey (RFC 8176 "pop"), which phishing cannot
 * take. If so, it survives a requirement of one.
 */
export function hasKey({ amr }: Pick<Session, "amr">): boolean {
  return amr.includes("pop");
}

/** Whether the record is a live session at `now`. `account` matters only without a key. */
export function stateOf(
  { session, epochs, revoked }: SessionRecord,
  revocations: { user: Revocation; account?: Revocation; generation: string },
  { now, idleMs }: { now: number; idleMs: number },
): SessionState {
  const { user, account, generation } = revocations;
  if (revoked !== undefined) {
    return { ok: false, code: "session_revoked", reason: revoked };
  }
  if (generation !== (epochs.generation ?? "")) {
    return { ok: false, code: "session_revoked", reason: "everybody_logged_out" };
  }
  if (user.epoch !== epochs.user) {
    return { ok: false, code: "session_revoked", reason: user.reason };
  }
  if (account && isRevokedWith(account, session, epochs)) {
    return { ok: false, code: "session_revoked", reason: account.reason };
  }
  if (account && isOverdue(account, session, now)) {
    return {
      ok: false,
      code: "session_revoked",
      reason: account.enforces === "key" ? KEY_REQUIRED : POLICY_REQUIRED,
    };
  }
  if (now >= session.expiresAt) {
    return { ok: false, code: "session_expired", reason: "lifetime" };
  }
  if (now - session.lastSeenAt >= idleMs) {
    return { ok: false, code: "session_expired", reason: "idle" };
  }
  return { ok: true, session };
}

/** Why a session without a second factor ends once one is required. */
export const POLICY_REQUIRED = "policy_required";

/** Why a session without a security key ends once one is required. */
export const KEY_REQUIRED = "key_required";

function isRevokedWith(
  account: Revocation,
  session: Session,
  epochs: SessionRecord["epochs"],
): boolean {
  if (!hasSecondFactor(session) && account.epoch !== epochs.account) return true;
  return !hasKey(session) && account.keyEpoch !== epochs.accountKeys;
}

/**
 * Whether a session without what is required was opened before the end of a grace period that is now
 * over. Sessions opened since then, such as one for the set-up, already respect the requirement.
 */
function isOverdue({ enforceAfter, enforces }: Revocation, session: Session, now: number): boolean {
  const meetsIt = enforces === "key" ? hasKey(session) : hasSecondFactor(session);
  if (meetsIt || enforceAfter === undefined) return false;
  return session.createdAt < enforceAfter && enforceAfter <= now;
}

/** The record as the fields of a Redis hash. */
export function toFields({ session, epochs, secretHash }: SessionRecord): Record<string, string> {
  const { id, userId, amr, ...rest } = session;
  const present = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(present.map(([name, value]) => [name, String(value)])),
    amr: amr.join(" "),
    userEpoch: String(epochs.user),
    accountEpoch: String(epochs.account),
    accountKeyEpoch: String(epochs.accountKeys),
    generation: epochs.generation ?? "",
    secretHash,
  };
}

/** The record from the fields of a Redis hash; undefined if there is none. */
export function fromFields(id: string, fields: Record<string, string>): SessionRecord | undefined {
  const userId = ownerOf(id);
  if (!userId || fields.secretHash === undefined) {
    return undefined;
  }
  return {
    session: {
      id,
      userId,
      accountId: fields.accountId ?? "",
      username: fields.username ?? "",
      role: fields.role as Role,
      scope: fields.scope === "full" ? "full" : "mfa_setup",
      amr: (fields.amr ?? "").split(" "),
      authenticatedAt: Number(fields.authenticatedAt),
      createdAt: Number(fields.createdAt),
      lastSeenAt: Number(fields.lastSeenAt),
      expiresAt: Number(fields.expiresAt),
      ip: fields.ip,
      userAgent: fields.userAgent,
    },
    epochs: {
      user: Number(fields.userEpoch),
      account: Number(fields.accountEpoch),
      accountKeys: Number(fields.accountKeyEpoch ?? 0),
      generation: fields.generation,
    },
    secretHash: fields.secretHash,
    revoked: fields.revoked,
  };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
