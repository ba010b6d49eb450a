import { getCountries, getCountryCallingCode } from "libphonenumber-js/max";
import { spentIn } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import { HOUR_MS } from "../../units.ts";
import type { CoreDeps } from "../deps.ts";

/** How much of an hour's messages was sent: 1 is all. `country` is a calling code, such as +1. */
export type SendBudgetUse = { limit: "service" | "country"; country: string; ratio: number };

const CALLING_CODES = [...new Set(getCountries().map((country) => getCountryCallingCode(country)))];
const KEYS = [keys.serviceSends(), ...CALLING_CODES.map((code) => keys.countrySends(code))];

/**
 * How much of the budgets SMS_PER_HOUR and SMS_PER_COUNTRY_AND_HOUR was used in the last hour, for
 * the service and for each country that was sent a message. A budget of 0 is a switch, and is not
 * listed.
 */
export async function usedSendBudgets({
  redis,
  config,
  clock,
}: Pick<CoreDeps, "redis" | "config" | "clock">): Promise<SendBudgetUse[]> {
  const window = { now: clock.now(), windowMs: HOUR_MS };
  const [ofService = 0, ...ofCountries] = await spentIn(redis, KEYS, window);
  const service = {
    limit: "service",
    country: "",
    ratio: ofService / config.SMS_PER_HOUR,
  } as const;
  const countries = ofCountries.flatMap((sent, at) =>
    sent === 0
      ? []
      : ({
          limit: "country",
          country: `+${CALLING_CODES[at]}`,
          ratio: sent / config.SMS_PER_COUNTRY_AND_HOUR,
        } as const),
  );
  return [service, ...countries].filter(({ ratio }) => Number.isFinite(ratio));
}
