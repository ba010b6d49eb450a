import type { ContentfulStatusCode } from "hono/utils/http-status";
import { duration } from "../../core/duration.ts";
import { PROBLEMS, type Problem } from "../../core/problem.ts";
import type { FailedAttempts } from "../../core/sessions/sessions.ts";
import { knownBrowser } from "../../store/user-agents.ts";

/** What is wrong with a form: messages by field, and one for the whole. */
export type Faults = {
  status: ContentfulStatusCode;
  fields: Record<string, string>;
  whole?: string;
  /** What was typed, where the form is shown again. */
  typed?: Record<string, string>;
};

export const NO_FAULTS: Faults = { status: 200, fields: {} };

/** Faults at these fields. */
export const faultyFields = (fields: Faults["fields"]): Faults => ({ status: 422, fields });

/** A refusal as messages: at the fields that it names itself, else at the field `about`. */
export function faultsOf(problem: Problem, about?: string): Faults {
  const { status, extra } = problem;
  const words = wordsOf(problem);
  if (extra.errors) {
    const named = extra.errors.map(({ path, message }) => [path, message]);
    return { status, fields: Object.fromEntries(named) };
  }
  return about ? { status, fields: { [about]: words } } : { status, fields: {}, whole: words };
}

/** A problem in words that say what to do next. */
export function wordsOf({ code, message, extra }: Problem): string {
  const { attemptsRemaining, triesRemaining, dependency } = extra.members ?? {};
  switch (code) {
    case "invalid_credentials":
      return "The user name or password is wrong. Check both and try again.";
    case "illegal_transition":
      return "You can't do that now. Choose one of the options on this page.";
    case "challenge_expired":
    case "credential_rejected":
    case "credential_registered":
    case "webauthn_unavailable":
    case "key_required":
    case "passkey_rejected":
    case "passkey_needs_password":
    case "passkey_login_off":
      return `${PROBLEMS[code].title}. ${message}`;
    case "webauthn_options_used":
      return "Your key's answer came too late, or was sent twice. Press the button to try again.";
    case "passcode_rejected":
      if (typeof attemptsRemaining !== "number") return message;
      return `${message} ${tries(attemptsRemaining)} before your account is locked.`;
    case "pin_rejected":
      if (!triesRemaining) return message;
      return `${message} ${tries(Number(triesRemaining))}.`;
    case "service_unavailable":
      // The name of the dependency does not help a person.
      return dependency ? AWAY : message;
    case "send_limit":
      // The messages of send limits already say how long to wait.
      if (extra.members?.limit) return message;
      break;
  }
  if (extra.retryAfterS === undefined) return message;
  return `${message} Try again in ${duration(extra.retryAfterS * 1000)}.`;
}

const AWAY = "Part of the service was not available. Wait a moment, then try again.";

const tries = (n: number) => (n === 1 ? "One try is left" : `${n} tries are left`);

/** What is said after a login when attempts before it failed; empty where none did. */
export function failedBefore({ failedAttempts }: { failedAttempts?: FailedAttempts }): string {
  if (!failedAttempts) return "";
  const { count, since } = failedAttempts;
  const attempts = count === 1 ? "1 attempt" : `${count} attempts`;
  return `${attempts} to log in failed since ${minuteOf(since)}, in this login or before it. See Activity if that was not you.`;
}

/** A time (ISO 8601) to the minute. */
export const minuteOf = (at: string) => `${at.slice(0, 16).replace("T", " ")} UTC`;

/**
 * The browser in words: "Chrome 150 on Windows". Never the User-Agent itself, which may be an
 * attacker's text; empty if there is none.
 */
export function browserOf(userAgent: string | null): string {
  return knownBrowser(userAgent) ?? (userAgent ? "an unknown browser" : "");
}

/** The kinds of device, in the middle of a sentence. */
export const METHOD_WORDS = {
  webauthn: "Security key or passkey",
  otp: "Mobile Passcode (OTP)",
  sms: "SMS",
} as const;

/** What an account requires, as its pages say it. */
export const REQUIREMENT_WORDS = {
  optional: "Optional",
  required: "Required for everyone",
  phishing_resistant: "Security key or passkey required for everyone",
} as const;
