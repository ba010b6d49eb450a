import type { ClientInfo } from "../../machines/methods.ts";
import { verifyPassword } from "../../store/passwords.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import {
  type Credentialed,
  findUserByUsername,
  normalizeUsername,
} from "../../store/postgres/users.ts";
import { noteFailedLogin } from "../../store/redis/sessions/failed-logins.ts";
import { subjectOf, userEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { Problem } from "../problem.ts";
import { spendPasswordGuess } from "./password-limits.ts";

export type Credentials = { username: string; password: string };

/**
 * Finds the user by name and checks the password. Throws `invalid_credentials`, with the same words
 * and after the same work whether the user exists or not, `login_throttled`, `logins_under_way` if
 * too many other logins are being judged, and `too_many_requests` if the user logs in too often.
 */
export function checkCredentials(
  deps: CoreDeps,
  { username, password }: Credentials,
  origin: ClientInfo,
): Promise<Credentialed> {
  return checkProof(deps, username, (user) => verifyPassword(user?.passwordHash, password), origin);
}

type Prove = (user: Credentialed | undefined) => Promise<boolean>;

/**
 * Finds the user and checks the secret. Unknown names take equally long. Throws as
 * `checkCredentials`.
 */
export async function checkProof(
  deps: CoreDeps,
  username: string,
  prove: Prove,
  origin: ClientInfo,
): Promise<Credentialed> {
  const { user, proven } = await judgeProof(deps, username, prove, origin);
  if (proven) return proven;
  // Not awaited: a known user's failed login must take no longer than an unknown one's.
  if (user)
    Promise.all([
      recordEvent(deps.db, userEvent(deps, subjectOf(user), "login_failed", origin)),
      noteFailedLogin(deps.redis, user.id, deps.clock.now()),
    ]).catch((error) => deps.log.warn({ err: error }, "a failed login could not be recorded"));
  throw new Problem("invalid_credentials");
}

/**
 * Finds the user, and answers them as `proven` too if the secret is right. A wrong secret costs a
 * guess. Throws `login_throttled`, `logins_under_way`, `too_many_requests`.
 */
export async function judgeProof(
  deps: CoreDeps,
  username: string,
  prove: Prove,
  origin: ClientInfo,
): Promise<{ user?: Credentialed; proven?: Credentialed }> {
  const guess = await spendPasswordGuess(deps, normalizeUsername(username), origin);
  const judge = async () => {
    const user = await findUserByUsername(deps.db, username);
    return { user, proven: (await prove(user)) ? user : undefined };
  };
  const judged = await judge().catch(async (error) => {
    // An outage costs no guess, because nothing was judged.
    await guess.giveBack();
    throw error;
  });
  await (judged.proven ? guess.giveBack() : guess.confirm());
  return judged;
}
