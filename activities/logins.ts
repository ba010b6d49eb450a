import type { ClientInfo } from "../machines/methods.ts";
import { recordEvent } from "../store/postgres/events/events.ts";
import { holdingUser } from "../store/postgres/holding-user.ts";
import { getUser, lockUser } from "../store/postgres/users.ts";
import { exhaustAttempts } from "../store/redis/second-step/failures.ts";
import { eventOf } from "./audit.ts";
import type { ActivityDeps } from "./deps.ts";

type Challenge = { userId: string; accountId: string; challengeId: string };

/** What a failed login challenge writes to PostgreSQL. */
export function loginActivities({ db, redis, config, clock }: ActivityDeps) {
  return {
    async recordExpiry(login: Challenge) {
      await recordEvent(db, eventOf(clock, "login_challenge_expired", login));
    },

    async lockUser(login: Challenge & { origin?: ClientInfo }) {
      const lock = { userId: login.userId, at: new Date(clock.now()) };
      await lockUser(db, lock, eventOf(clock, "account_locked", login));
      // The gateway gives the last attempt back if our answer reached it too late. This uses it
      // up again, unless Support has ended the lock since.
      await holdingUser(db, login.userId, async (tx) => {
        if ((await getUser(tx, login.userId))?.lockedAt)
          await exhaustAttempts(redis, login.userId, config.limits.wrongPasscodes);
      });
    },
  };
}
