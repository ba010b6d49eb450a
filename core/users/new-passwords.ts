import { hashPassword } from "../../store/passwords.ts";
import { keys } from "../../store/redis/keys.ts";
import type { CoreDeps } from "../deps.ts";
import { spendAll } from "../limits/spend-all.ts";

/**
 * Hashes a password that the user sets, for themselves or for somebody else. Throws
 * `too_many_requests` with the time to wait if they have set too many.
 */
export async function hashNewPassword(
  { redis, clock, config }: Pick<CoreDeps, "redis" | "clock" | "config">,
  userId: string,
  password: string,
): Promise<string> {
  const { limit, windowMs } = config.limits.password.made;
  const charges = [{ key: keys.newPasswords(userId), rules: [{ limit, windowMs }] }];
  await spendAll(redis, clock.now(), charges, {
    code: "too_many_requests",
    detail: "You have set too many passwords. Wait, then try again.",
  });
  return hashPassword(password);
}
