import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { hash, verify } from "@node-rs/argon2";
import pLimit from "p-limit";
import { rightOfWay } from "./priority-gate.ts";

/** Argon2id at the second choice of OWASP's cheat sheet: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A hash of nothing at the same cost: an unknown user takes as long as a wrong password. */
const DUMMY_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$dRzY82fgceWJKqstlAB6sn56dYrekptRpYPqbR1lZQg";

/**
 * A core is left to everything else, and hashes that share their 19 MiB of cache take longer than
 * one after the other.
 */
const AT_A_TIME = Math.max(1, availableParallelism() - 1);
const inTurn = pLimit(AT_A_TIME);

/**
 * Four for each password at a time give the other parts enough to do; 25 ms let some 25 passwords a
 * second through beside any number of them.
 */
const secondSteps = rightOfWay({ most: 4 * AT_A_TIME, patienceMs: 25 });

/** Half a second's work for one core: whoever came after these would wait too long. */
const MOST_WAITING = 64;

/** More passwords are to be checked than can be in time. */
export class TooManyPasswords extends Error {}

/** Does work of somebody whose password has been checked, before further passwords are. */
export const aheadOfPasswords = secondSteps.first;

/** NIST SP 800-63B-4 section 3.1.1.2: a Unicode password is normalized (NFC) before it is hashed. */
function normalized(password: string): string {
  return password.normalize("NFC");
}

function whenDue<T>(work: () => Promise<T>): Promise<T> {
  return inTurn(async () => {
    await secondSteps.giveWay();
    return work();
  });
}

/** New passwords wait here, one behind the other, so that at most one of them stands before a login. */
const newOnes = pLimit(1);

/** How long a new password lets logins go first, in ms; in the end somebody waits for it, too. */
const NEW_WAITS_MS = 500;

/**
 * The argon2id hash of a new password as PHC text with a random salt, made when no login waits.
 * Throws TooManyPasswords at once where too many wait.
 */
export async function hashPassword(password: string): Promise<string> {
  if (newOnes.pendingCount >= MOST_WAITING) throw new TooManyPasswords();
  return newOnes(async () => {
    await idle(NEW_WAITS_MS);
    return whenDue(() => hash(normalized(password), COST));
  });
}

/** Resolves when no password waits to be checked, or the patience is at its end. */
async function idle(patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (inTurn.pendingCount > 0 && performance.now() < end) await sleep(5);
}

/**
 * Whether the password is the hashed one; without a hash false, after the same work. Throws
 * TooManyPasswords at once where too many wait.
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  if (inTurn.pendingCount >= MOST_WAITING) throw new TooManyPasswords();
  const matches = await whenDue(() => verify(passwordHash ?? DUMMY_HASH, normalized(password)));
  return passwordHash !== undefined && matches;
}
