import type { Factor, Origin } from "../machines/methods.ts";
import { recordEvent } from "../store/postgres/events.ts";
import { lockUser, recordLogin } from "../store/postgres/users.ts";
import { eventOf } from "./audit.ts";
import type { Deps } from "./index.ts";

type Challenge = { userId: string; accountId: string; challengeId: string };

/** What a login challenge leaves behind in the system of record. */
export function loginActivities({ db, clock }: Deps) {
  return {
    async recordAuthentication(login: Challenge & { factor: Factor; origin?: Origin }) {
      await recordLogin(db, login.userId, new Date(clock.now()));
      const { factor } = login;
      if (factor === "recovery_code")
        await recordEvent(db, eventOf(clock, "recovery_code_used", login));
      await recordEvent(db, eventOf(clock, "login_succeeded", login, { factor }));
    },

    async recordExpiry(login: Challenge) {
      await recordEvent(db, eventOf(clock, "login_challenge_expired", login));
    },

    async lockUser(login: Challenge & { origin?: Origin }) {
      const lock = { userId: login.userId, at: new Date(clock.now()) };
      await lockUser(db, lock, eventOf(clock, "account_locked", login));
    },
  };
}
