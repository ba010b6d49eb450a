import { EVENT_WORDS, type EventType } from "../../store/events/event-types.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";
import { minuteOf } from "../layout/words.ts";

type Told = Pick<ShownEvent, "type" | "detail">;

const METHODS: Record<string, string> = {
  sms: "passcode by SMS",
  otp: "passcode of an app",
  webauthn: "security key or passkey",
  recovery_code: "recovery code",
  api_key: "API key",
};

const MESSAGES: Record<string, string> = { pin: "PIN", passcode: "passcode" };

/** The settings of an account, by their names on the command line. */
const SETTINGS: Record<string, string> = {
  "api-keys-bypass-mfa": "API keys log in without a second factor",
  "passkey-login": "login by a passkey alone",
  "enabling-is-own-call": "multi-factor authentication is turned on by a separate call",
};

/** Reasons of refused links and of ended steps, by code. */
const REASONS: Record<string, string> = {
  account_locked: "the user is locked",
  cannot_link_itself: "the user belongs to the account itself",
  not_a_cloud_account: "it is not a Cloud account",
  not_cloud_administrator: "the user is not an administrator of the Cloud account",
  linked_account_has_mfa:
    "the Cloud account, or an administrator of it, has or needs multi-factor authentication",
  linked_already: "the account was linked already",
  not_accepted: "the key's answer was not accepted",
  already_used: "the code was used before",
  replaced: "a newer passcode was sent",
  too_many_requests: "too many tries",
  session_revoked: "the session that asked was ended",
  session_expired: "the session that asked had expired",
  unauthenticated: "the session that asked was ended",
};

/** An event's type as words: `otp_device_added` is "OTP device added". */
export function sentence(type: string): string {
  // Another version of the service may have recorded a type that is unknown here.
  return lookUp(EVENT_WORDS, type) ?? capitalized(type.replaceAll("_", " "));
}

const capitalized = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

/** An event in words, with what it is about: "OTP device added: My phone". */
export function sentenceOf({ type, detail }: Told): string {
  const about = subjectOf(type, detail);
  return about ? `${sentence(type)}: ${about}` : sentence(type);
}

/** Which device, policy, message or code the event is about; empty where its type says all. */
function subjectOf(type: string, detail: Told["detail"]): string {
  const { device, devices, method, factor, role, kind, number } = detail;
  switch (type as EventType) {
    case "policy_changed":
      return policyOf(detail);
    case "multi_factor_reminder":
      return `${asksForKey(detail) ? "a security key or passkey is " : ""}required from ${dayOf(detail.requiredFrom)}`;
    case "user_requirement_changed":
      return detail.requirement === null ? "as the account's policy" : wordOf(detail.requirement);
    case "send_refused":
      return `${lookUp(MESSAGES, kind) ?? "message"}${number ? ` to ${number}` : ""}`;
    case "attempt_given_back":
      return `${lookUp(MESSAGES, kind) ?? "code"}, because the service was away`;
    case "default_method_changed":
      return lookUp(METHODS, method) ?? "";
    case "login_succeeded":
    case "second_step_failed":
      return [lookUp(METHODS, factor ?? method), device].filter(Boolean).join(", ");
    case "notice_dropped":
      return noticeOf(detail);
    case "policy_enforced":
      return `${asksForKey(detail) ? wordOf(detail.requirement) : "Required"}, ${toGoOf(detail)}`;
    case "account_setting_changed":
      return `${lookUp(SETTINGS, detail.setting) ?? detail.setting}: ${detail.state}`;
    case "webhook_added":
    case "webhook_removed":
    case "webhook_disabled":
    case "webhook_enabled":
      return String(detail.host ?? "");
    case "account_linked":
      return String(detail.account ?? detail.linkedAccountId);
    case "linked_by_account":
    case "account_link_refused":
      return detail.account ? `${detail.account}, by ${detail.by}` : "";
    case "email_changed":
      return addressesOf(detail);
    case "device_renamed":
      return detail.from ? `${detail.from} to ${device}` : String(device);
  }
  if (device) return String(device);
  if (Array.isArray(devices)) return devices.join(", ");
  if (role) return String(role);
  return lookUp(METHODS, factor ?? method) ?? "";
}

/** Why it happened, as Support wrote it or in our words. */
export function reasonOf({ detail: { reason } }: Told): string {
  return typeof reason === "string" ? (lookUp(REASONS, reason) ?? reason) : "";
}

/**
 * Looks a name up in a table. A name that every object has, such as `constructor`, is not found:
 * somebody may have typed it.
 */
function lookUp(words: Record<string, string>, name: unknown): string | undefined {
  return Object.hasOwn(words, String(name)) ? words[String(name)] : undefined;
}

/** The notification, and that it went to the previous address if so. */
function noticeOf({ notice, to }: Told["detail"]): string {
  return `${sentence(String(notice))}${to === "former" ? ", to the previous address" : ""}`;
}

function toGoOf({ toGo }: Told["detail"]): string {
  return toGo === 1 ? "1 user is not set up" : `${toGo ?? 0} users are not set up`;
}

function policyOf({ requirement, enforceAfter }: Told["detail"]): string {
  const word = wordOf(requirement);
  if (word === REQUIREMENTS.optional) return word;
  return `${word}, from ${enforceAfter ? dayOf(enforceAfter) : "now on"}`;
}

const asksForKey = ({ requirement }: Told["detail"]) => requirement === "phishing_resistant";

/** Two different addresses may look the same when they are masked. */
function addressesOf({ from, to }: Told["detail"]): string {
  if (!to) return `${from ?? "none"} to none`;
  return `${from ?? "none"} to ${from === to ? "another " : ""}${to}`;
}

const REQUIREMENTS = {
  optional: "Optional",
  required: "Required",
  phishing_resistant: "Security key or passkey required",
} as const;

const wordOf = (requirement: unknown) => lookUp(REQUIREMENTS, requirement) ?? REQUIREMENTS.optional;

const dayOf = (at: unknown) => minuteOf(String(at));
