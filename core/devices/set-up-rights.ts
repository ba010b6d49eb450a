import type { Method } from "../../store/methods.ts";
import { getMfaProfile } from "../../store/postgres/profiles.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { isKeyRequired } from "../../store/requirement.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";

/**
 * Refuses what a set-up session may not do with a device of this kind while a security key is
 * required. Such a session may come from a phished passcode. Whatever else it added, renamed or
 * removed would outlive the requirement. Throws `key_required`.
 */
export async function requireSetUpRight(
  { db, clock }: Pick<CoreDeps, "db" | "clock">,
  { scope, userId }: Session,
  kind: Method,
): Promise<void> {
  if (scope !== "mfa_setup" || kind === "webauthn") return;
  const profile = await getMfaProfile(db, userId);
  if (profile && isKeyRequired(profile, clock.now()))
    throw new Problem("key_required", "Set up a security key or passkey first.");
}
