import { keys } from "../../store/redis/keys.ts";
import { DAY_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, type Spent, spendAll } from "./spend-all.ts";

type ChangeDeps = Pick<CoreDeps, "redis" | "clock" | "config">;

/**
 * Spends one of the changes to devices, codes and settings that a user may make in 24 hours. Each
 * change leaves events, histories, notices and deliveries. Removals are free, because each thing
 * removed was paid for when it was added. Throws `too_many_requests` with the time to wait.
 */
export function spendChange(deps: ChangeDeps, userId: string): Promise<Spent> {
  return spendOf(deps, keys.changes(userId));
}

function spendOf({ redis, clock, config }: ChangeDeps, key: string): Promise<Spent> {
  const rules = [{ limit: config.limits.changesPerDay, windowMs: DAY_MS }];
  return spendAll(redis, clock.now(), [{ key, rules }], {
    code: "too_many_requests",
    detail: "Too many changes were made today.",
  });
}

/**
 * Makes a change that costs one of the user's changes of the day. It is free if it is refused or
 * answers false.
 */
export async function payForChange<T>(
  deps: ChangeDeps,
  userId: string,
  work: () => Promise<T>,
): Promise<T> {
  return payIfDone(await spendChange(deps, userId), work);
}

/**
 * Makes a change that costs one of the changes that administrators and Support may make to a user in
 * 24 hours; they cost the user none of their own. It is free if it is refused or, by `isDone`, changed
 * nothing. What takes a right away or requires a factor must not be paid for: changes to and fro could
 * keep others from it, and each needs a paid one before it. Throws `too_many_requests`.
 */
export async function payForChangeByOthers<T>(
  deps: ChangeDeps,
  userId: string,
  work: () => Promise<T>,
  isDone?: (answer: T) => boolean,
): Promise<T> {
  return payIfDone(await spendOf(deps, keys.changesByOthers(userId)), work, isDone);
}
