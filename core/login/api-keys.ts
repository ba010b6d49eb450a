import { timingSafeEqual } from "node:crypto";
import type { ClientInfo } from "../../machines/methods.ts";
import { hashToKeep, keptHashesOf } from "../../store/codes.ts";
import { newId } from "../../store/ids.ts";
import {
  apiKeyHash,
  rehashApiKey,
  removeApiKey,
  replaceApiKey,
} from "../../store/postgres/api-keys.ts";
import type { User } from "../../store/postgres/schema.ts";
import type { Credentialed } from "../../store/postgres/users.ts";
import { type Actor, actorsEvent } from "../actors.ts";
import type { CoreDeps } from "../deps.ts";
import { endSessions } from "../sessions/sessions.ts";
import { checkProof } from "./credentials.ts";

type KeyDeps = Pick<CoreDeps, "db" | "redis" | "clock" | "config">;

/**
 * Finds the user by name and checks the API key. Throws `invalid_credentials`, with the same words
 * and after the same work whether the user exists or not, and `login_throttled`: guesses of keys
 * and of passwords share the same budgets.
 */
export function checkApiKey(
  deps: CoreDeps,
  { username, apiKey }: { username: string; apiKey: string },
  origin: ClientInfo,
): Promise<Credentialed> {
  const prove = async (user: User | undefined) => {
    // For an unknown user a random ID is looked up and compared, so that it takes equally long.
    const userId = user?.id ?? newId();
    const given = keptHashesOf(deps.config.CODE_KEY, ...contextOf(userId, apiKey));
    const kept = (await apiKeyHash(deps.db, userId)) ?? hashOf(deps, userId, newId());
    // Every form is compared, so that the time does not tell which key made the hash.
    const right = given.map((hash) => isEqual(bare(hash), bare(kept))).includes(true);
    const [to] = given;
    // While a lone key gets an id, other gateways know it only without: the same hash stays.
    if (right && to && bare(to) !== bare(kept))
      await rehashApiKey(deps.db, { userId, from: kept, to });
    return right;
  };
  return checkProof(deps, username, prove, origin);
}

/**
 * A new API key of 128 random bits, shown only once. The old key stops working, and the user's
 * sessions end.
 */
export async function makeApiKey(deps: KeyDeps, user: User, actor: Actor): Promise<string> {
  const apiKey = newId();
  const at = new Date(deps.clock.now());
  const event = actorsEvent(deps, user, "api_key_made", actor);
  await replaceApiKey(deps.db, { userId: user.id, hash: hashOf(deps, user.id, apiKey), at }, event);
  await endSessions(deps, user.id, "api_key_changed");
  return apiKey;
}

/** Removes the user's API key and ends their sessions. `changed` is false if there was no key. */
export async function revokeApiKey(
  deps: KeyDeps,
  user: User,
  actor: Actor,
): Promise<{ changed: boolean }> {
  const event = actorsEvent(deps, user, "api_key_revoked", actor);
  const changed = await removeApiKey(deps.db, user.id, event);
  // Runs even if nothing changed: an earlier request may have failed before it ended the sessions.
  await endSessions(deps, user.id, "api_key_changed");
  return { changed };
}

/** A keyed hash, bound to the user. A key is long and random, so it needs no slow hash. */
function hashOf({ config }: Pick<CoreDeps, "config">, userId: string, apiKey: string): string {
  return hashToKeep(config.CODE_KEY, ...contextOf(userId, apiKey));
}

/** The hash without the id of its key. */
const bare = (kept: string) => kept.slice(kept.lastIndexOf(":") + 1);

const contextOf = (userId: string, apiKey: string) => ["api-key", userId, apiKey];

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
