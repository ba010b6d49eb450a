import type { Origin } from "../machines/methods.ts";
import { hashCode } from "../store/codes.ts";
import { keys } from "../store/redis/keys.ts";
import { isKnownAddress, rememberAddress } from "../store/redis/known-addresses.ts";
import { clientNetwork } from "./client-network.ts";
import type { Deps } from "./deps.ts";
import { type Charge, type Spent, spendAll } from "./spend-all.ts";

const DAY_MS = 24 * 3_600_000;

/** How long an address stays known after a login from it. */
const KNOWN_MS = 30 * DAY_MS;

type ThrottleDeps = Pick<Deps, "redis" | "clock" | "config">;

/**
 * Spends one password guess, to be given back after the right password: from the budgets of the
 * client's address, of this user name from this address and, unless the user has logged in from
 * there before, of this user name from anywhere. Throws `login_throttled`. Nothing here locks, and
 * guessing from elsewhere keeps nobody out of where they usually are.
 */
export async function spendPasswordGuess(
  deps: ThrottleDeps,
  username: string,
  origin: Origin,
): Promise<Spent> {
  const { redis, clock, config } = deps;
  const now = clock.now();
  const { perUser, perAddress, windowMs, fromStrangersPerDay } = config.limits.password;
  const at = addressOf(origin);
  const known = keys.knownAddress(digest(deps, at, username));
  const charges: Charge[] = [
    { key: keys.addressPasswords(digest(deps, at)), rules: [{ limit: perAddress, windowMs }] },
    {
      key: keys.usernamePasswords(digest(deps, at, username)),
      rules: [{ limit: perUser, windowMs }],
    },
  ];
  if (!(await isKnownAddress(redis, known, { now, withinMs: KNOWN_MS })))
    charges.push({
      key: keys.strangersPasswords(digest(deps, username)),
      // See docs/decisions/0005.
      rules: [{ limit: fromStrangersPerDay, windowMs: DAY_MS }],
    });
  return spendAll(redis, now, charges, {
    code: "login_throttled",
    detail: "Too many wrong passwords. Wait, then try again.",
  });
}

/**
 * Makes the address known to the user name, after its right password. Clients without an address have
 * nothing to be known by: all of them are strangers.
 */
export async function rememberOrigin(
  deps: ThrottleDeps,
  username: string,
  origin: Origin,
): Promise<void> {
  if (origin.ip === undefined) return;
  const key = keys.knownAddress(digest(deps, addressOf(origin), username));
  await rememberAddress(deps.redis, key, deps.clock.now());
}

const addressOf = ({ ip = "unknown" }: Origin) => clientNetwork(ip);

function digest({ config }: ThrottleDeps, ...parts: string[]): string {
  return hashCode(config.CODE_KEY, "password", ...parts);
}
