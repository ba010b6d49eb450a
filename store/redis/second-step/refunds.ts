import { DAY_MS } from "../../../units.ts";
import { newId } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keys } from "../keys.ts";

/** How many attempts a user may get back in any 24 hours, and the time of this refund. */
export type RefundBudget = { now: number; refundsPerDay: number };

/** The arguments of `takeRefund`. */
export const refundArguments = ({ now, refundsPerDay }: RefundBudget) => [
  now,
  refundsPerDay,
  newId(),
];

/** How many attempts were given back to the user in the last 24 hours. */
export function countRefunds(redis: Redis, userId: string, now: number): Promise<number> {
  return redis.zCount(keys.refunds(userId), `(${now - DAY_MS}`, "+inf");
}
