import { setTimeout as sleep } from "node:timers/promises";
import type { ClientInfo } from "../../machines/methods.ts";
import { hashCode } from "../../store/codes.ts";
import { settledIn } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import {
  forgetAddresses,
  isKnownAddress,
  rememberAddress,
} from "../../store/redis/sessions/known-addresses.ts";
import type { Deps } from "../deps.ts";
import { clientNetwork } from "../limits/client-network.ts";
import {
  type Charge,
  type Refused,
  type Spent,
  spendAll,
  trySpendAll,
} from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";

const DAY_MS = 24 * 3_600_000;

/** How long an address stays known after a login from it. */
const KNOWN_MS = 30 * DAY_MS;

/**
 * How long a guess may take to be judged, in ms: as long as any request is worked on. Whoever dies
 * before has spent it.
 */
const JUDGED_WITHIN_MS = 15_000;

/** How long a login waits for others that are under way, and how often it looks at most; in ms. */
const PATIENCE_MS = 5_000;
const POLL_MS = { first: 50, longest: 400 };

/** More do not wait in this process. */
const MOST_WAITING = 300;
let waiting = 0;

type ThrottleDeps = Pick<Deps, "redis" | "clock" | "config">;

/**
 * Spends one password guess, to be given back after the right password and settled after a wrong
 * one: from the budgets of the client's address, of this user name from this address and of this user
 * name from anywhere; where the user has logged in from there before, of what failed there since. Throws
 * `login_throttled` where so many were wrong, and `logins_under_way` where it would have to wait too long
 * for those that are being judged; `too_many_requests` where the user logs in too often. Nothing here
 * locks, and guessing from elsewhere keeps nobody out of where they usually are.
 */
export async function spendPasswordGuess(
  deps: ThrottleDeps,
  username: string,
  origin: ClientInfo,
): Promise<Spent> {
  const { redis, clock, config } = deps;
  const now = clock.now();
  const { perUser, perAddress, windowMs, fromStrangersPerDay, logins } = config.limits.password;
  const at = addressOf(origin);
  const everywhere: Charge[] = [
    { key: keys.addressPasswords(digest(deps, at)), rules: [{ limit: perAddress, windowMs }] },
    {
      key: keys.usernamePasswords(digest(deps, at, username)),
      rules: [{ limit: perUser, windowMs }],
    },
  ];
  // See docs/decisions/0005.
  const ofStrangers: Charge = {
    key: keys.strangersPasswords(digest(deps, username)),
    rules: [{ limit: fromStrangersPerDay, windowMs: DAY_MS }],
  };
  const refusal = {
    code: "login_throttled",
    detail: "Too many wrong passwords. Wait, then try again.",
  } as const;
  const guess = await afterOthers(async () => {
    const charges = [...everywhere, (await knownAt(deps, username, at)) ?? ofStrangers];
    return trySpendAll(redis, now, charges, refusal, { settlesWithinMs: JUDGED_WITHIN_MS });
  });
  try {
    // Also right ones cost a hash. Only once there is a guess: a key for each name that is made up
    // would be more than the address's guesses.
    const key = keys.usernameLogins(digest(deps, at, username));
    await spendAll(redis, now, [{ key, rules: [logins] }], {
      code: "too_many_requests",
      detail: "This user logs in too often. Wait, then try again.",
    });
  } catch (error) {
    await guess.giveBack();
    throw error;
  }
  return guess;
}

/**
 * What is spent at an address that the user name was logged in with from; none where it was not, or
 * where too many wrong passwords came from there since: it is as strange as any other then.
 */
async function knownAt(
  deps: ThrottleDeps,
  username: string,
  at: string,
): Promise<Charge | undefined> {
  const { redis, clock, config } = deps;
  const now = clock.now();
  const [user, address] = [digest(deps, username), digest(deps, at)];
  const key = keys.knownFailures(user, address);
  const limit = config.limits.password.fromKnown;
  const within = { now, windowMs: KNOWN_MS, settlesWithinMs: JUDGED_WITHIN_MS };
  // Both at once, also for who is strange here: the time of an answer would tell them apart.
  const [isKnown, failed] = await Promise.all([
    isKnownAddress(redis, keys.knownAddresses(user), address, { now, withinMs: KNOWN_MS }),
    settledIn(redis, key, within),
  ]);
  return isKnown && failed < limit ? { key, rules: [{ limit, windowMs: KNOWN_MS }] } : undefined;
}

/** Spends once guesses that are under way have been judged, which takes no longer than their hashes. */
async function afterOthers(spend: () => Promise<Spent | Refused>): Promise<Spent> {
  const end = performance.now() + PATIENCE_MS;
  for (let pollMs = POLL_MS.first; ; pollMs = Math.min(2 * pollMs, POLL_MS.longest)) {
    const spent = await spend();
    if (!("problem" in spent)) return spent;
    if (!spent.underWay) throw spent.problem;
    if (waiting >= MOST_WAITING || performance.now() > end)
      throw new Problem("logins_under_way", "Several logins are under way. Wait, then try again.", {
        retryAfterS: 1,
      });
    waiting++;
    await sleep(pollMs).finally(() => waiting--);
  }
}

/**
 * Makes the address known to the user name, after a whole login: by every factor that there is. Clients
 * without an address have nothing to be known by: all of them are strangers. Nobody waits for it, and
 * what cannot be noted is logged: the session that is open by now must reach its user.
 */
export function rememberAddressOf(
  deps: ThrottleDeps & Pick<Deps, "log">,
  username: string,
  origin: ClientInfo,
): void {
  if (origin.ip === undefined) return;
  const [user, address] = [digest(deps, username), digest(deps, addressOf(origin))];
  const known = { key: keys.knownAddresses(user), failures: keys.knownFailures(user, address) };
  const most = deps.config.limits.password.knownAddresses;
  rememberAddress(deps.redis, known, address, { now: deps.clock.now(), most }).catch((error) =>
    deps.log.warn({ err: error }, "the address of a login could not be noted"),
  );
}

/** Forgets where the user name was logged in from, but for where its password was changed from. */
export async function forgetAddressesOf(
  deps: Pick<Deps, "redis" | "config">,
  username: string,
  { ip }: ClientInfo,
): Promise<void> {
  const but = ip === undefined ? "" : digest(deps, addressOf({ ip }));
  await forgetAddresses(deps.redis, keys.knownAddresses(digest(deps, username)), but);
}

const addressOf = ({ ip = "unknown" }: ClientInfo) => clientNetwork(ip);

function digest({ config }: Pick<Deps, "config">, ...parts: string[]): string {
  return hashCode(config.CODE_KEY, "password", ...parts);
}
