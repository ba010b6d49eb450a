import { configuredMethods } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Accepted } from "../../store/redis/second-step/attempts.ts";
import { readAccountRevocation } from "../../store/redis/sessions/revocations.ts";
import { keyRequiredFrom } from "../../store/requirement.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/** The problem of an answer by another factor than the key that the user must use. */
export const keyRequired = () =>
  new Problem(
    "key_required",
    "Use your security key or passkey. If it is no longer required of you, log in again.",
  );

/**
 * What a right code opens by now. A requirement of a key may have been enforced since the challenge
 * was opened, and the user may have set up a key since. Without a key it opens a session for its
 * set-up, which that enforcement does not end. `at` (ms) is when that was true: a session of that time
 * ends if the requirement begins before it is opened. Throws `key_required`.
 */
export async function underKeyRequirement(
  { db, redis, clock }: CoreDeps,
  userId: string,
  accepted: Accepted,
): Promise<Accepted & { at: number }> {
  const at = clock.now();
  const account = await readAccountRevocation(redis, accepted.accountId);
  const { keyEpoch: accountKeys, enforces, enforceAfter = Number.POSITIVE_INFINITY } = account;
  const isEnforced =
    accepted.scope === "setup" ||
    accountKeys !== accepted.epochs.accountKeys ||
    (enforces === "key" && enforceAfter <= at);
  if (!isEnforced) return { ...accepted, at };
  const profile = await getMfaProfile(db, userId);
  const from = profile && keyRequiredFrom(profile);
  const epochs = { ...accepted.epochs, accountKeys };
  // The user is exempt, or the requirement was taken back.
  if (from === undefined || from > at) return { ...accepted, at, epochs, scope: "full" };
  if (configuredMethods(profile?.devices ?? []).includes("webauthn")) throw keyRequired();
  return { ...accepted, at, epochs, scope: "setup" };
}
