import { timingSafeEqual } from "node:crypto";
import type { ClientInfo } from "../../machines/methods.ts";
import { hashCode } from "../../store/codes.ts";
import { newId } from "../../store/ids.ts";
import { apiKeyHash, removeApiKey, replaceApiKey } from "../../store/postgres/api-keys.ts";
import type { User } from "../../store/postgres/schema.ts";
import type { Credentialed } from "../../store/postgres/users.ts";
import type { Deps } from "../deps.ts";
import { endSessions } from "../sessions/sessions.ts";
import { type Actor, actorsEvent } from "../support/support.ts";
import { checkProof } from "./credentials.ts";

type KeyDeps = Pick<Deps, "db" | "redis" | "clock" | "config">;

/**
 * The user of this name and API key. Throws `invalid_credentials` with the same words and after the
 * same work whether the user exists or not, and `login_throttled`: a key is guessed from the same
 * budgets as a password.
 */
export function checkApiKey(
  deps: Deps,
  { username, apiKey }: { username: string; apiKey: string },
  origin: ClientInfo,
): Promise<Credentialed> {
  const prove = async (user: User | undefined) => {
    // Nobody's key is looked up and compared too.
    const userId = user?.id ?? newId();
    const given = Buffer.from(hashOf(deps, userId, apiKey));
    const kept = await apiKeyHash(deps.db, userId);
    return timingSafeEqual(given, Buffer.from(kept ?? hashOf(deps, userId, newId())));
  };
  return checkProof(deps, username, prove, origin);
}

/** A new API key of 128 random bits, shown this once; the one before is void, and sessions end. */
export async function makeApiKey(deps: KeyDeps, user: User, actor: Actor): Promise<string> {
  const apiKey = newId();
  const at = new Date(deps.clock.now());
  const event = actorsEvent(deps, user, "api_key_made", actor);
  await replaceApiKey(deps.db, { userId: user.id, hash: hashOf(deps, user.id, apiKey), at }, event);
  await endSessions(deps, user.id, "api_key_changed");
  return apiKey;
}

/** Takes the user's API key away, and ends their sessions; `changed` is false where there was none. */
export async function revokeApiKey(
  deps: KeyDeps,
  user: User,
  actor: Actor,
): Promise<{ changed: boolean }> {
  const event = actorsEvent(deps, user, "api_key_revoked", actor);
  const changed = await removeApiKey(deps.db, user.id, event);
  // Also where nothing changed: the request before may have been cut off here.
  await endSessions(deps, user.id, "api_key_changed");
  return { changed };
}

/** Keyed, and bound to its user; a key is random and long, so that it needs no slow hash. */
function hashOf({ config }: Pick<Deps, "config">, userId: string, apiKey: string): string {
  return hashCode(config.CODE_KEY, "api-key", userId, apiKey);
}
