import type { ShownEvent } from "../store/postgres/events.ts";
import { minuteOf } from "./words.ts";

type Told = Pick<ShownEvent, "type" | "detail">;

const METHODS: Record<string, string> = {
  sms: "passcode by SMS",
  otp: "passcode of an app",
  recovery_code: "recovery code",
  api_key: "API key",
};

const MESSAGES: Record<string, string> = { pin: "PIN", passcode: "passcode" };

const REASONS: Record<string, string> = {
  already_used: "the code was used before",
  replaced: "a newer passcode was sent",
  too_many_requests: "too many tries",
};

/** An event's type as words: `otp_device_added` is "OTP device added". */
export function sentence(type: string): string {
  const words = type.replaceAll("_", " ").replace(/\b(otp|sms)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** An event in words, with what it is about: "OTP device added: My phone". */
export function sentenceOf({ type, detail }: Told): string {
  const about = subjectOf(type, detail);
  return about ? `${sentence(type)}: ${about}` : sentence(type);
}

/** Which device, policy, message or code the event is about; empty where its type says all. */
function subjectOf(type: string, detail: Told["detail"]): string {
  const { device, devices, method, factor, role, kind, number } = detail;
  switch (type) {
    case "policy_changed":
      return policyOf(detail);
    case "multi_factor_reminder":
      return `required from ${dayOf(detail.requiredFrom)}`;
    case "user_requirement_changed":
      return detail.requirement === null ? "as the account's policy" : wordOf(detail.requirement);
    case "send_refused":
      return `${MESSAGES[String(kind)] ?? "message"}${number ? ` to ${number}` : ""}`;
    case "attempt_given_back":
      return `${MESSAGES[String(kind)] ?? "code"}, since the service was away`;
    case "default_method_changed":
      return METHODS[String(method)] ?? "";
    case "linked_by_account":
    case "account_link_refused":
      return detail.account ? `${detail.account}, by ${detail.by}` : "";
    case "email_changed":
      return [detail.from, detail.to].map((address) => address ?? "none").join(" to ");
  }
  if (device) return String(device);
  if (Array.isArray(devices)) return devices.join(", ");
  if (role) return String(role);
  return METHODS[String(factor ?? method)] ?? "";
}

/** Why it happened, as Support wrote it or in our words. */
export function reasonOf({ detail: { reason } }: Told): string {
  return typeof reason === "string" ? (REASONS[reason] ?? reason) : "";
}

function policyOf({ requirement, enforceAfter }: Told["detail"]): string {
  if (requirement !== "required") return "Optional";
  return enforceAfter ? `Required, from ${dayOf(enforceAfter)}` : "Required, from now on";
}

const wordOf = (requirement: unknown) => (requirement === "required" ? "Required" : "Optional");

const dayOf = (at: unknown) => minuteOf(String(at));
