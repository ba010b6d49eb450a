/**
 * User names by the PRECIS profile UsernameCaseMapped (RFC 8265 section 3.3, over the IdentifierClass
 * of RFC 8264): one form of each name, and only characters that make sense in one.
 */

/** Of a new name in its one form, in code points. */
const LONGEST_USERNAME = 64;

/** As it is typed, before it is read, in UTF-16 code units: a name may be typed in letters and marks apart. */
export const LONGEST_TYPED_USERNAME = 256;

/** What a mail shows of a name, in code points: too few for a word to somebody. */
const LONGEST_IN_MAIL = 3;

/** Full-width and half-width forms, which RFC 8265 maps; other compatibility characters are refused. */
const WIDE_OR_NARROW = /[\u3000\uff01-\uffef]/g;

/** Bidi marks, zero-width and other characters that come along with a pasted name and are not seen. */
const UNSEEN = /\p{Cf}/u;

/** RFC 8264 section 8: PVALID by ASCII7 or LetterDigits, but for what is below. */
const IDENTIFIER =
  /^[\x21-\x7e\p{Ll}\p{Lu}\p{Lo}\p{Lm}\p{Nd}\p{Mn}\p{Mc}\u30fb\u0375\u00b7\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007]+$/u;
/** Its exceptions that are disallowed (F), conjoining old Hangul jamo (I), and what is ignored (M). */
const DISALLOWED =
  /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\p{Default_Ignorable_Code_Point}]/u;
/** RFC 5892 appendix A.3 to A.9: where these may stand. The joiners of A.1 and A.2 are dropped before. */
const OUT_OF_CONTEXT = [
  /(?<!l)\u00b7|\u00b7(?!l)/u,
  /\u0375(?!\p{Script=Greek})/u,
  /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u,
  /[\u0660-\u0669].*[\u06f0-\u06f9]|[\u06f0-\u06f9].*[\u0660-\u0669]/u,
];
const KATAKANA_DOT = "\u30fb";
const KANA_OR_HAN = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;

/**
 * The one form of a user name by the profile: undefined where it has a character that is no name's,
 * such as a space or an emoji, or mixes directions. Repeated it changes nothing.
 */
export function enforceUsername(typed: string): string | undefined {
  const name = typed
    .replace(new RegExp(UNSEEN, "gu"), "")
    .trim()
    .replace(WIDE_OR_NARROW, (character) => character.normalize("NFKC"))
    .toLowerCase()
    .normalize("NFC");
  const fits =
    IDENTIFIER.test(name) &&
    !DISALLOWED.test(name) &&
    !OUT_OF_CONTEXT.some((rule) => rule.test(name)) &&
    (!name.includes(KATAKANA_DOT) || KANA_OR_HAN.test(name.replaceAll(KATAKANA_DOT, ""))) &&
    !hasCompatibilityForm(name) &&
    keepsDirection(name);
  return fits ? name : undefined;
}

/** RFC 8264 section 9.17. */
const hasCompatibilityForm = (name: string) => name.normalize("NFKC") !== name;

const RIGHT_TO_LEFT =
  "\\p{Script=Hebrew}\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Thaana}\\p{Script=Nko}\\p{Script=Samaritan}\\p{Script=Mandaic}\\p{Script=Adlam}\\p{Script=Hanifi_Rohingya}\\p{Script=Mende_Kikakui}";
const ARABIC_DIGIT = "\\u0660-\\u0669\\u06f0-\\u06f9";
const RTL_LETTER = `(?:(?=[${RIGHT_TO_LEFT}])\\p{L})`;
const HAS_RTL = new RegExp(`${RTL_LETTER}|[\\u0660-\\u0669]`, "u");
const BEGINS_RTL = new RegExp(`^${RTL_LETTER}`, "u");
const ENDS_RTL = new RegExp(`(?:${RTL_LETTER}|[0-9${ARABIC_DIGIT}])\\p{Mn}*$`, "u");
const HAS_LTR = new RegExp(`(?![${RIGHT_TO_LEFT}])\\p{L}`, "u");

/**
 * The Bidi Rule (RFC 5893 section 2) for a name with a character of a right-to-left script: it begins
 * and ends with one, holds no letter of the other direction, and digits of one kind.
 */
function keepsDirection(name: string): boolean {
  if (!HAS_RTL.test(name)) return true;
  const kindsOfDigits = [/[0-9\u06f0-\u06f9]/, /[\u0660-\u0669]/].filter((kind) => kind.test(name));
  return (
    BEGINS_RTL.test(name) && ENDS_RTL.test(name) && !HAS_LTR.test(name) && kindsOfDigits.length < 2
  );
}

/** The alphabets whose letters look like each other's. */
const ALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** Mixed alphabets make a name that looks like another's (Unicode UTS 39, section 5.2). */
const isOfOneScript = (name: string) => ALIKE.filter((script) => script.test(name)).length <= 1;

/** What programs make a link of, or a person takes for an address of the web. */
const LIKE_A_URL = /\/|\\|:|^www\.|\bwww\./;

/** What is wrong with a name that somebody wants to have, in words; undefined for nothing. */
export function faultOfUsername(typed: string): string | undefined {
  // At a login unseen characters are passed over; in a new name they would deceive whoever reads it.
  const name = UNSEEN.test(typed) ? undefined : enforceUsername(typed);
  if (name === undefined)
    return "A user name can have letters, digits and signs such as . - _ @, but no spaces.";
  if ([...name].length > LONGEST_USERNAME)
    return `A user name can have at most ${LONGEST_USERNAME} characters.`;
  if (LIKE_A_URL.test(name)) return "A user name cannot look like a web address.";
  if (!isOfOneScript(name)) return "A user name must use letters of one alphabet.";
  return undefined;
}

/**
 * What a mail to the user may show of their name, which somebody else may have chosen to write to a
 * stranger: its first three characters, and none from a dot or an @ on. Undefined for a name of former
 * times that would not be taken now.
 */
export function nameInMail(username: string): string | undefined {
  if (faultOfUsername(username)) return undefined;
  const [beginning = ""] = username.split(/[.@]/);
  const shown = [...beginning].slice(0, LONGEST_IN_MAIL).join("");
  if (shown === "") return undefined;
  return shown === username ? shown : `${shown}•••`;
}
