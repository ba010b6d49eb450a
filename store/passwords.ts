import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { hash, verify } from "@node-rs/argon2";
import pLimit from "p-limit";
import { publish } from "../telemetry/facts.ts";
import { priorityGate } from "./priority-gate.ts";

/**
 * Argon2id with the second set of parameters in OWASP's cheat sheet: 19 MiB, two passes, one lane.
 */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A dummy hash of the same cost, so that an unknown user takes as long as a wrong password. */
const DUMMY_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$dRzY82fgceWJKqstlAB6sn56dYrekptRpYPqbR1lZQg";

/** Node.js hashes in the threads of its pool, which other work shares, such as looking up names. */
const THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;

/**
 * One core stays free for other work. More hashes at once (19 MiB each) would compete for the CPU
 * cache and take longer than one after another. More than threads would wait where no metric sees it.
 */
const AT_A_TIME = Math.max(1, Math.min(availableParallelism() - 1, THREADS));
const inTurn = pLimit(AT_A_TIME);

/**
 * Password checks wait while `most` second steps are under way: four per concurrent hash keep the
 * other parts busy. Each waits at most 25 ms, so some 25 passwords a second get through under any
 * load.
 */
const secondSteps = priorityGate({ most: 4 * AT_A_TIME, patienceMs: 25 });

/** About half a second of work for one core. Callers behind these would wait too long. */
const MOST_WAITING = 64;

/** More passwords wait to be checked than can be checked in time. */
export class TooManyPasswords extends Error {}

/** Runs work of a user whose password was already checked, ahead of further password checks. */
export const aheadOfPasswords = secondSteps.first;

/** NIST SP 800-63B-4 section 3.1.1.2: a Unicode password is normalized (NFC) before it is hashed. */
function normalized(password: string): string {
  return password.normalize("NFC");
}

function whenDue<T>(work: () => Promise<T>): Promise<T> {
  const asked = performance.now();
  return inTurn(async () => {
    await secondSteps.giveWay();
    publish("password-wait", { seconds: (performance.now() - asked) / 1000 });
    return work();
  });
}

/** New passwords wait here one after another, so that at most one of them is ahead of a login. */
const newOnes = pLimit(1);

/** How many passwords, given or new, wait for their turn to be hashed in this process. */
export const passwordsWaiting = (): number => inTurn.pendingCount + newOnes.pendingCount;

/**
 * How long a new password lets logins go first, in ms. Then it is hashed anyway: somebody waits for
 * it too.
 */
const NEW_WAITS_MS = 500;

/**
 * The argon2id hash of a new password, as PHC text with a random salt, made when no login waits.
 * Throws TooManyPasswords at once if too many wait.
 */
export async function hashPassword(password: string): Promise<string> {
  if (newOnes.pendingCount >= MOST_WAITING) throw new TooManyPasswords();
  return newOnes(async () => {
    await idle(NEW_WAITS_MS);
    return whenDue(() => hash(normalized(password), COST));
  });
}

/** Resolves when no password waits to be checked, or after `patienceMs`. */
async function idle(patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (inTurn.pendingCount > 0 && performance.now() < end) await sleep(5);
}

/**
 * Whether the password matches the hash; false without a hash, after the same work. Throws
 * TooManyPasswords at once if too many wait.
 */
export async function verifyPassword(
  passwordHash: string | undefined,
  password: string,
): Promise<boolean> {
  if (inTurn.pendingCount >= MOST_WAITING) throw new TooManyPasswords();
  const matches = await whenDue(() => verify(passwordHash ?? DUMMY_HASH, normalized(password)));
  return passwordHash !== undefined && matches;
}
