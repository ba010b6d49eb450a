import { activityInfo } from "@temporalio/activity";
import { ApplicationFailure } from "@temporalio/common";
import { placesPerKey } from "../store/places.ts";
import { SECOND_MS } from "../units.ts";

/** In units of a second: the shortest and the longest factor of a retry's delay. */
const SPREAD = [0.5, 2] as const;
const SLOWEST = 10;

/**
 * Lets at most `most` activities of an account run at once in this process. Temporal tries one more
 * again in a moment, later each time: it keeps no slot from other accounts while it waits.
 */
export function atMostPerAccount(most: number) {
  const takePlace = placesPerKey();
  return async <T>(accountId: string, work: () => Promise<T>): Promise<T> => {
    const leave = takePlace(accountId, most);
    if (!leave) throw busy(activityInfo().attempt);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}

function busy(attempt: number): ApplicationFailure {
  const [least, most] = SPREAD;
  const factor = least + Math.random() * (most - least);
  return ApplicationFailure.create({
    type: "account_busy",
    message: "The account has as many of these under way as it may",
    nextRetryDelay: Math.round(factor * Math.min(attempt, SLOWEST) * SECOND_MS),
    category: "BENIGN",
  });
}
