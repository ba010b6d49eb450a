import {
  getCountryCallingCode,
  isSupportedCountry,
  ParseError,
  type PhoneNumber,
  parsePhoneNumberFromString,
  parsePhoneNumberWithError,
} from "libphonenumber-js/max";
import { plainText } from "../../store/typed-text.ts";
import { Problem } from "../problem.ts";

type Country = Parameters<typeof getCountryCallingCode>[0];

const NO_SUCH_NUMBER = "There is no such number. Check its digits.";

const MOBILE_TYPES = new Set(["MOBILE", "FIXED_LINE_OR_MOBILE"]);

/**
 * The characters that people type between digits. Others are a mistake or an attack, and get their
 * own reason.
 */
const ACCEPTED = /^\+?[\d ().\-/]*$/;

/**
 * By calling code: what the numbering plan says about mobile numbers, and a hint for numbers that
 * do not match.
 */
const PLANS: Record<string, { mobile: RegExp; help: string } | undefined> = {
  // The North American plan: neither the area code nor the exchange begins with 0 or 1.
  "1": { mobile: /^[2-9]\d\d[2-9]\d{6}$/, help: NO_SUCH_NUMBER },
  "54": {
    mobile: /^9/,
    help: "Type a mobile number with 9 or 15 in front: 9 11 2345-6789 or 11 15 2345-6789.",
  },
  "55": {
    mobile: /^\d\d9\d{8}$/,
    help: "Type a mobile number with the area code and 9 in front: 11 96123-4567.",
  },
};

/** Prefixes that no longer belong to the number: those of Mexican mobile phones until 2019. */
const OLD_PREFIXES: Record<string, RegExp | undefined> = { "52": /^(?:01|044|045|1)(?=\d{10}$)/ };

/** Prefixes before a country's calling code, for numbers typed without the plus. */
const INTERNATIONAL_PREFIXES = ["", "00", "011"];

/**
 * The E.164 form of a number typed for a country (ISO 3166-1 alpha-2). Refuses numbers that no
 * numbering plan allows, and numbers known not to be mobile. Accepts a number that the tables do
 * not know yet, because its PIN proves it. Throws `invalid_phone_number` with a `reason`.
 */
export function parsePhoneNumber(countryCode: string, text: string): string {
  if (!isSupportedCountry(countryCode))
    throw invalid("unknown_country", "countryCode", "Choose a country from the list, such as US.");
  const typed = plainNumber(text, "phoneNumber");
  const known = readingsOf(countryCode, typed).find(isKnownMobile);
  return known?.number ?? unknownMobile(countryCode, typed);
}

/** The country of a number in international form, for `parsePhoneNumber`. Throws as that does. */
export function countryOf(international: string): string {
  const typed = plainNumber(international, "number");
  if (!typed.startsWith("+"))
    throw invalid("not_international", "number", "Begin with + and the country's calling code.");
  const number = parsePhoneNumberFromString(typed, { extract: false });
  const country = number?.country ?? number?.getPossibleCountries()[0];
  if (!country) throw invalid("not_a_number", "number", NO_SUCH_NUMBER);
  return country;
}

function plainNumber(text: string, path: string): string {
  const typed = plainText(text)
    .replace(/^tel:/i, "")
    .replace(/^\((\+\d{1,3})\)/, "$1 ");
  if (ACCEPTED.test(typed)) return typed;
  throw invalid(
    "extra_characters",
    path,
    "Use digits only. Spaces, hyphens, dots and brackets are fine between them.",
  );
}

/**
 * The country's numbers that the typed text may mean: as typed, with a plus added before the
 * calling code, and each of these without an outdated prefix. Only used to recognise known mobile
 * numbers.
 */
function readingsOf(countryCode: Country, typed: string): PhoneNumber[] {
  const code = getCountryCallingCode(countryCode);
  const digits = typed.replace(/\D/g, "");
  const withPlus = INTERNATIONAL_PREFIXES.map((prefix) => `${prefix}${code}`)
    .filter((prefix) => !typed.includes("+") && digits.startsWith(prefix))
    .map((prefix) => `+${code}${digits.slice(prefix.length)}`);
  const read = (text: string) =>
    parsePhoneNumberFromString(text, { defaultCountry: countryCode, extract: false }) ?? [];
  const numbers = [typed, ...withPlus].flatMap(read);
  const old = OLD_PREFIXES[code];
  const today = numbers
    .filter(({ nationalNumber }) => old?.test(nationalNumber))
    .flatMap(({ nationalNumber }) => read(`+${code}${nationalNumber.replace(old ?? "", "")}`));
  return [...numbers, ...today].filter((number) => number.countryCallingCode === code);
}

const isKnownMobile = (number: PhoneNumber) =>
  number.isValid() && MOBILE_TYPES.has(number.getType() ?? "");

/** The number as typed, if it may be a mobile number although no table knows it. */
function unknownMobile(countryCode: Country, typed: string): string {
  const number = parse(countryCode, typed);
  const { countryCallingCode: code, nationalNumber } = number;
  if (code !== getCountryCallingCode(countryCode))
    throw invalid(
      "wrong_country",
      "phoneNumber",
      "The number belongs to another country. Choose that country, or check the number.",
    );
  const plan = PLANS[code];
  const isMobile = plan?.mobile.test(nationalNumber) ?? !nationalNumber.startsWith("0");
  if (number.isValid()) throw notMobile((!isMobile && plan?.help) || wordsFor(number));
  if (!isMobile) throw invalid("not_a_number", "phoneNumber", plan?.help ?? NO_SUCH_NUMBER);
  return number.number;
}

/** Kinds of number that lead to a telephone service and take only calls. */
const CALLS_ONLY = new Set<unknown>(["TOLL_FREE", "PREMIUM_RATE", "SHARED_COST"]);

/** Why a number that is known not to be mobile is refused. */
function wordsFor(number: PhoneNumber): string {
  const type = number.getType();
  if (type === "FIXED_LINE") return "This is a landline. Type the number of a mobile phone.";
  if (CALLS_ONLY.has(type)) return "The number cannot receive text messages.";
  return "This number cannot be used here. Type the number of a mobile phone.";
}

const notMobile = (message: string) => invalid("not_mobile", "phoneNumber", message);

function parse(countryCode: Country, text: string): PhoneNumber {
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
