import type { Origin } from "../machines/methods.ts";
import { hashCode } from "../store/codes.ts";
import { keys } from "../store/redis/keys.ts";
import type { Deps } from "./deps.ts";
import { type Spent, spendAll } from "./spend-all.ts";

/**
 * Spends one password guess from the budgets of the client's address and of this user name from
 * this address, to be given back after the right password. No budget is the user's alone: guessing
 * from elsewhere keeps nobody out. Throws `login_throttled` (NIST SP 800-63B-4 section 3.2.2).
 */
export function spendPasswordGuess(
  { redis, clock, config }: Deps,
  username: string,
  { ip = "unknown" }: Origin,
): Promise<Spent> {
  const { perUser, perAddress, windowMs } = config.limits.password;
  const digest = (...parts: string[]) => hashCode(config.CODE_KEY, "password", ...parts);
  const charges = [
    { key: keys.addressPasswords(digest(ip)), rules: [{ limit: perAddress, windowMs }] },
    { key: keys.usernamePasswords(digest(ip, username)), rules: [{ limit: perUser, windowMs }] },
  ];
  return spendAll(redis, clock.now(), charges, {
    code: "login_throttled",
    detail: "Too many wrong passwords. Wait and try again.",
  });
}
