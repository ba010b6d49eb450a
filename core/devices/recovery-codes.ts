import type { ClientInfo } from "../../machines/methods.ts";
import { keptHashesOf } from "../../store/codes.ts";
import { configuredMethods } from "../../store/methods.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import { replaceRecoveryCodes, useRecoveryCode } from "../../store/postgres/recovery-codes.ts";
import { newRecoveryCodes, normalizeRecoveryCode } from "../../store/recovery-codes.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { type Subject, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payForChange } from "../limits/changes.ts";
import { Problem } from "../problem.ts";
import { requireStillLive } from "../sessions/live-session.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";

/**
 * The forms in which a typed recovery code may be stored: keyed hashes, bound to the user. The first
 * is for new codes. Undefined if the text cannot be a recovery code.
 */
export function recoveryHashes(
  { config }: Pick<CoreDeps, "config">,
  userId: string,
  typed: string,
): string[] | undefined {
  const code = normalizeRecoveryCode(typed);
  return code === undefined ? undefined : keptHashesOf(config.CODE_KEY, "recovery", userId, code);
}

/** The form in which a new recovery code is stored. */
export const recoveryHash = (deps: Pick<CoreDeps, "config">, userId: string, code: string) =>
  recoveryHashes(deps, userId, code)?.[0];

export type RecoveryCodes = {
  codes: string[];
  createdAt: Date;
  username: string;
  accountName: string;
};

/**
 * A new set of recovery codes, shown only once. The old set stops working. The codes are for the
 * session's user, unless an administrator makes them for another user (`of`). They do not expire,
 * unless `validMs` is given. Throws `multi_factor_off` if the user has no device that they could
 * replace, `too_many_requests` and `reauthentication_required`.
 */
export async function makeRecoveryCodes(
  deps: CoreDeps,
  session: Session,
  quantity: number,
  origin: ClientInfo,
  { of = session, validMs }: { of?: Subject; validMs?: number } = {},
): Promise<RecoveryCodes> {
  const { userId } = of;
  const codes = newRecoveryCodes(quantity);
  const hashes = codes.flatMap((code) => recoveryHash(deps, userId, code) ?? []);
  const createdAt = new Date(deps.clock.now());
  const expiresAt = validMs === undefined ? undefined : new Date(deps.clock.now() + validMs);
  const event = userEvent(deps, of, "recovery_codes_made", origin, {
    quantity,
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
  });
  const by = { ...event, actorId: session.userId };
  // Under the user's lock: codes stored after the last device was removed would replace no device.
  const replace = () =>
    holdingUser(deps.db, userId, async (tx) => {
      const profile = await getMfaProfile(tx, userId);
      if (!profile) throw new Problem("unauthenticated");
      if (configuredMethods(profile.devices).length === 0)
        throw new Problem(
          "multi_factor_off",
          "Verify a device first. Recovery codes replace a lost device.",
        );
      await requireRecentLogin({ ...deps, db: tx }, session);
      await requireStillLive({ ...deps, db: tx }, session);
      await replaceRecoveryCodes(tx, { userId, hashes, at: createdAt, expiresAt }, by);
      return profile;
    });
  // Who makes them pays: an administrator's codes for a user cost that user none of their changes.
  const profile = await payForChange(deps, session.userId, replace);
  const { user, account } = profile;
  return { codes, createdAt, username: user.username, accountName: account.name };
}

/**
 * Marks a recovery code as used at this challenge, and answers how many are left. Throws
 * `passcode_already_used` if another request used the code first.
 */
export async function spendRecoveryCode(
  { db, clock }: CoreDeps,
  use: { userId: string; challengeId: string; hashes: string[] },
): Promise<number> {
  const spent = await useRecoveryCode(db, { ...use, at: new Date(clock.now()) });
  if (!spent) throw recoveryCodeUsed();
  return spent.remaining;
}

/** The refusal of a recovery code that was used before: `passcode_already_used`. */
export const recoveryCodeUsed = (): Problem =>
  new Problem(
    "passcode_already_used",
    "You have already used this recovery code. Use another one.",
  );

/** The codes as a text to print or save. */
export function recoveryCodesFile(service: string, set: RecoveryCodes): string {
  const { codes, createdAt, username, accountName } = set;
  return [
    `${service} recovery codes`,
    `Account: ${accountName}`,
    `User: ${username}`,
    `Made: ${createdAt.toISOString()}`,
    "",
    ...codes,
    "",
    "Each code works once, in place of a passcode. Generating new codes cancels these.",
    "",
  ].join("\n");
}
