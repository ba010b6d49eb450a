/**
 * User names by the PRECIS profile UsernameCaseMapped (RFC 8265 section 3.3, on the IdentifierClass
 * of RFC 8264): one normal form for each name, and only characters that make sense in a name.
 */

/** The longest new name, in its normal form, in code points. */
const LONGEST_USERNAME = 64;

/**
 * The longest name as typed, in UTF-16 code units: letters and their marks may be typed separately.
 */
export const LONGEST_TYPED_USERNAME = 256;

/** What a mail shows of a name, in code points: too few to carry a message. */
const LONGEST_IN_MAIL = 3;

/**
 * Full-width and half-width forms, which RFC 8265 maps. Other compatibility characters are refused.
 */
const WIDE_OR_NARROW = /[\u3000\uff01-\uffef]/g;

/** Bidi marks, zero-width and other invisible characters that are pasted along with a name. */
const UNSEEN = /\p{Cf}/u;

/** RFC 8264 section 8: PVALID by ASCII7 or LetterDigits, except the characters below. */
const IDENTIFIER =
  /^[\x21-\x7e\p{Ll}\p{Lu}\p{Lo}\p{Lm}\p{Nd}\p{Mn}\p{Mc}\u30fb\u0375\u00b7\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007]+$/u;
/** Its disallowed exceptions (F), conjoining old Hangul jamo (I), and ignored characters (M). */
const DISALLOWED =
  /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\p{Default_Ignorable_Code_Point}]/u;
/**
 * RFC 5892 appendix A.3 to A.9: where these characters may not appear. The joiners of A.1 and A.2
 * are removed before.
 */
const OUT_OF_CONTEXT = [
  /(?<!l)\u00b7|\u00b7(?!l)/u,
  /\u0375(?!\p{Script=Greek})/u,
  /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u,
  /[\u0660-\u0669].*[\u06f0-\u06f9]|[\u06f0-\u06f9].*[\u0660-\u0669]/u,
];
const KATAKANA_DOT = "\u30fb";
const KANA_OR_HAN = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;

/**
 * The normal form of a user name by the profile. Undefined if it has a character that no name may
 * have, such as a space or an emoji, or if it mixes directions. Repeating it changes nothing.
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
 * The Bidi Rule (RFC 5893 section 2), for a name with a character of a right-to-left script: it
 * starts and ends with one, has no left-to-right letter, and has digits of only one kind.
 */
function keepsDirection(name: string): boolean {
  if (!HAS_RTL.test(name)) return true;
  const kindsOfDigits = [/[0-9\u06f0-\u06f9]/, /[\u0660-\u0669]/].filter((kind) => kind.test(name));
  return (
    BEGINS_RTL.test(name) && ENDS_RTL.test(name) && !HAS_LTR.test(name) && kindsOfDigits.length < 2
  );
}

/** Alphabets with letters that look alike. */
const ALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** A name with mixed alphabets can look like another name (Unicode UTS 39, section 5.2). */
const isOfOneScript = (name: string) => ALIKE.filter((script) => script.test(name)).length <= 1;

/** Text that programs turn into a link, or that people take for a web address. */
const LIKE_A_URL = /\/|\\|:|^www\.|\bwww\./;

/** What is wrong with a wanted user name, as a text for people; undefined if nothing is. */
export function faultOfUsername(typed: string): string | undefined {
  // A login ignores invisible characters. In a new name they would deceive its readers.
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
 * The part of a user's name that a mail to them may show: the first three characters, up to a dot
 * or an @. Somebody else may have chosen the name as a message to a stranger. Undefined for an old
 * name that would be refused now.
 */
export function nameInMail(username: string): string | undefined {
  if (faultOfUsername(username)) return undefined;
  const [beginning = ""] = username.split(/[.@]/);
  const shown = [...beginning].slice(0, LONGEST_IN_MAIL).join("");
  if (shown === "") return undefined;
  return shown === username ? shown : `${shown}•••`;
}
