import {
  getCountryCallingCode,
  isSupportedCountry,
  ParseError,
  parsePhoneNumberFromString,
  parsePhoneNumberWithError,
} from "libphonenumber-js/max";
import { Problem } from "./problem.ts";

const MOBILE_TYPES = new Set(["MOBILE", "FIXED_LINE_OR_MOBILE"]);
/** What people type between digits; anything else is a slip or an attack, and is named as such. */
const ACCEPTED = /^\+?[\d\s().\-/]*$/;

/**
 * The E.164 form of a number typed for a country (ISO 3166-1 alpha-2).
 * Throws the problem `invalid_phone_number`, whose `reason` says what is wrong with it.
 */
export function parsePhoneNumber(countryCode: string, text: string): string {
  if (!isSupportedCountry(countryCode))
    throw invalid("unknown_country", "countryCode", "Choose a country from the list, such as US.");
  if (!ACCEPTED.test(text))
    throw invalid("extra_characters", "phoneNumber", "Use digits, spaces and hyphens only.");

  const number = parse(countryCode, text);
  if (number.countryCallingCode !== getCountryCallingCode(countryCode))
    throw invalid("wrong_country", "phoneNumber", "The number belongs to another country.");
  if (!number.isValid()) throw invalid("not_a_number", "phoneNumber", "There is no such number.");
  if (!MOBILE_TYPES.has(number.getType() ?? ""))
    throw invalid("not_mobile", "phoneNumber", "The number cannot receive text messages.");
  return number.number;
}

/** The country of a number in international form, for `parsePhoneNumber`. Throws as that does. */
export function countryOf(international: string): string {
  if (!ACCEPTED.test(international) || !international.trim().startsWith("+"))
    throw invalid("not_international", "number", "Begin with + and the country's calling code.");
  const country = parsePhoneNumberFromString(international, { extract: false })?.country;
  if (!country) throw invalid("not_a_number", "number", "There is no such number.");
  return country;
}

function parse(countryCode: Parameters<typeof getCountryCallingCode>[0], text: string) {
  try {
    const number = parsePhoneNumberWithError(text, { defaultCountry: countryCode, extract: false });
    const length = number.nationalNumber.length;
    if (number.isPossible()) return number;
    if (length < 7) throw tooShort();
    throw invalid("wrong_length", "phoneNumber", "The number has too few or too many digits.");
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    if (error.message === "TOO_LONG")
      throw invalid("too_long", "phoneNumber", "The number has too many digits.");
    throw tooShort();
  }
}

const tooShort = () => invalid("too_short", "phoneNumber", "The number has too few digits.");

function invalid(reason: string, path: string, message: string) {
  return new Problem("invalid_phone_number", message, {
    errors: [{ path, message }],
    members: { reason },
  });
}
