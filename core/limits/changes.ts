import { keys } from "../../store/redis/keys.ts";
import { DAY_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, type Refused, type Spent, trySpendAll } from "./spend-all.ts";

type ChangeDeps = Pick<CoreDeps, "redis" | "clock" | "config">;

/**
 * Spends one of the changes to devices, codes and settings that a user may make in 24 hours. Each
 * change leaves events, histories, notices and deliveries. Removals are free, because each thing
 * removed was paid for when it was added. Throws `too_many_requests` with the time to wait.
 */
export function spendChange(deps: ChangeDeps, userId: string): Promise<Spent> {
  return spendOf(deps, keys.changes(userId));
}

async function spendOf(deps: ChangeDeps, key: string): Promise<Spent> {
  const spent = await trySpendOf(deps, key);
  if ("problem" in spent) throw spent.problem;
  return spent;
}

function trySpendOf({ redis, clock, config }: ChangeDeps, key: string): Promise<Spent | Refused> {
  const rules = [{ limit: config.limits.changesPerDay, windowMs: DAY_MS }];
  return trySpendAll(redis, clock.now(), [{ key, rules }], {
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
 * 24 hours. It costs the user nothing, and it is free if it is refused or, by `isDone`, changed
 * nothing. Never charge what takes a right away, ends sessions or requires a factor: two
 * administrators could use the budget up, and a third could then not stop them. Charging the other
 * direction is enough, because a right must be given before it can be taken away again. Throws
 * `too_many_requests`.
 */
export async function payForChangeByOthers<T>(
  deps: ChangeDeps,
  userId: string,
  work: () => Promise<T>,
  isDone?: (answer: T) => boolean,
): Promise<T> {
  return payIfDone(await spendOf(deps, keys.changesByOthers(userId)), work, isDone);
}

/** As `payForChangeByOthers`, but skips the work if the budget is used up. */
export async function payForChangeByOthersOrSkip(
  deps: ChangeDeps,
  userId: string,
  work: () => Promise<void>,
): Promise<void> {
  const spent = await trySpendOf(deps, keys.changesByOthers(userId));
  if (!("problem" in spent)) await payIfDone(spent, work);
}
