import { setTimeout as sleep } from "node:timers/promises";
import type { ClientInfo } from "../../machines/methods.ts";
import { hashCode } from "../../store/codes.ts";
import { confirmedIn } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import {
  forgetAddresses,
  isKnownAddress,
  rememberAddress,
} from "../../store/redis/sessions/known-addresses.ts";
import { DAY_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";
import { clientNetwork } from "../limits/client-network.ts";
import {
  type Charge,
  type Refused,
  type Spent,
  spendAll,
  trySpendAll,
} from "../limits/spend-all.ts";
import { Problem } from "../problem.ts";

/** How long an address stays known after a login from it. */
const KNOWN_MS = 30 * DAY_MS;

/**
 * The most time, in ms, to judge a guess: as long as any request may take. If the process dies
 * before that, the guess stays spent.
 */
const JUDGED_WITHIN_MS = 15_000;

/**
 * How long a login waits for other logins under way, and the shortest and longest poll interval; in
 * ms.
 */
const PATIENCE_MS = 5_000;
const POLL_MS = { first: 50, longest: 400 };

/** The most logins that wait in this process. */
const MOST_WAITING = 300;
let waiting = 0;

type ThrottleDeps = Pick<CoreDeps, "redis" | "clock" | "config">;

/**
 * Spends one of a user's logins after the right password. Each writes an event or starts a workflow,
 * and the password may be used from any number of addresses. Throws `too_many_requests`.
 */
export const spendRightPassword = (deps: ThrottleDeps, userId: string) =>
  spendLogin(deps, keys.rightPasswords(userId));

/**
 * As `spendRightPassword`, for a login by passkey alone. Apart, so that whoever has only the password
 * cannot spend it.
 */
export const spendRightPasskey = (deps: ThrottleDeps, userId: string) =>
  spendLogin(deps, keys.rightPasskeys(userId));

async function spendLogin({ redis, clock, config }: ThrottleDeps, key: string): Promise<void> {
  const rules = [config.limits.password.right];
  await spendAll(redis, clock.now(), [{ key, rules }], {
    code: "too_many_requests",
    detail: "This user has logged in too often.",
  });
}

/**
 * Spends one password guess. The caller gives it back after the right password and confirms it after
 * a wrong one. It is charged to the client's address, to this user name from this address, and to
 * this user name from anywhere. If the user has logged in from this address before, the failures
 * from there since that login replace the last budget. Throws `login_throttled` after too many
 * wrong passwords, `logins_under_way` if it would wait too long for guesses that are being judged,
 * and `too_many_requests` if the user logs in too often. This locks nobody: guesses from elsewhere
 * do not keep a user out at the addresses they usually use.
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
    return trySpendAll(redis, now, charges, refusal, { confirmedWithinMs: JUDGED_WITHIN_MS });
  });
  try {
    // Right passwords cost a hash too, so logins are limited as well. Spent only after the guess:
    // otherwise made-up names could create more keys than the address has guesses.
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
 * The budget of an address from which this user has logged in before. Undefined if they have not,
 * or if too many wrong passwords came from there since: then the address counts as unknown.
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
  const within = { now, windowMs: KNOWN_MS, confirmedWithinMs: JUDGED_WITHIN_MS };
  // Both are read for unknown addresses too, so that the answer's time does not reveal which are
  // known.
  const [isKnown, failed] = await Promise.all([
    isKnownAddress(redis, keys.knownAddresses(user), address, { now, withinMs: KNOWN_MS }),
    confirmedIn(redis, key, within),
  ]);
  return isKnown && failed < limit ? { key, rules: [{ limit, windowMs: KNOWN_MS }] } : undefined;
}

/**
 * Spends, after waiting for guesses under way to be judged. That takes no longer than their hashes.
 */
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
 * Marks the address as known for the user name, after a login with every factor that the user has.
 * Clients without an address always count as unknown. Not awaited, and an error is only logged: the
 * session is already open and must reach its user.
 */
export function rememberAddressOf(
  deps: ThrottleDeps & Pick<CoreDeps, "log">,
  username: string,
  origin: ClientInfo,
): void {
  if (origin.ip === undefined) return;
  const [user, address] = [digest(deps, username), digest(deps, addressOf(origin))];
  const known = { key: keys.knownAddresses(user), failures: keys.knownFailures(user, address) };
  const most = deps.config.limits.password.knownAddresses;
  rememberAddress(deps.redis, known, address, { now: deps.clock.now(), most }).catch((error) =>
    deps.log.warn({ err: error }, "could not store the address of a login"),
  );
}

/**
 * Forgets the addresses that the user name was logged in from, except the one that the password was
 * changed from.
 */
export async function forgetAddressesOf(
  deps: Pick<CoreDeps, "redis" | "config">,
  username: string,
  { ip }: ClientInfo,
): Promise<void> {
  const but = ip === undefined ? "" : digest(deps, addressOf({ ip }));
  await forgetAddresses(deps.redis, keys.knownAddresses(digest(deps, username)), but);
}

const addressOf = ({ ip = "unknown" }: ClientInfo) => clientNetwork(ip);

function digest({ config }: Pick<CoreDeps, "config">, ...parts: string[]): string {
  return hashCode(config.CODE_KEY, "password", ...parts);
}
