import type { Origin } from "../machines/methods.ts";
import { recordEvent } from "../store/postgres/events.ts";
import { lockUser } from "../store/postgres/users.ts";
import { eventOf } from "./audit.ts";
import type { Deps } from "./index.ts";

type Challenge = { userId: string; accountId: string; challengeId: string };

/** What a login challenge that failed leaves behind in the system of record. */
export function loginActivities({ db, clock }: Deps) {
  return {
    async recordExpiry(login: Challenge) {
      await recordEvent(db, eventOf(clock, "login_challenge_expired", login));
    },

    async lockUser(login: Challenge & { origin?: Origin }) {
      const lock = { userId: login.userId, at: new Date(clock.now()) };
      await lockUser(db, lock, eventOf(clock, "account_locked", login));
    },
  };
}
