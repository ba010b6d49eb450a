import type { EventType } from "./events/event-types.ts";
import { METHODS, type Method } from "./methods.ts";
import type { AuditEvent } from "./postgres/schema.ts";

/** Who a notice goes to: the user's address, or the address that was just replaced. */
export type Recipient = "current" | "former";

/** What a notice tells: the subject of its mail, and what happened. */
type Told = { subject: string; what: string };

/** What else is known of the user: who requires multi-factor authentication of them now. */
export type Known = { requiredBy?: string };

/** What the next login asks for when no device is left. */
const nextLogin = ({ requiredBy }: Known) =>
  requiredBy
    ? `${requiredBy} requires it, so you will be asked to set it up at your next login.`
    : "You can now log in with your password only.";

const DEVICE: Record<Method, string> = {
  sms: "an SMS device",
  otp: "an authenticator app",
  webauthn: "a security key or passkey",
};

const ASKED_FIRST: Record<Method, string> = {
  sms: `a passcode from ${DEVICE.sms}`,
  otp: `a passcode from ${DEVICE.otp}`,
  webauthn: "your security key or passkey",
};

/** The kind of device that an enrollment adds, by the ID of its workflow. */
const methodOf = (workflowId: string | null): Method =>
  METHODS.find((method) => workflowId?.startsWith(method)) ?? "otp";

const capitalized = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

type Notice = (event: AuditEvent, to: Recipient, known: Known) => Told;

/** The text of each notice, by the type of event. */
const NOTICES: Partial<Record<EventType, Notice>> = {
  device_verified: ({ workflowId, detail }) => ({
    subject: "A device was added",
    what: `${capitalized(DEVICE[methodOf(workflowId)])} was added to your login. ${detail.aside ? "You can log in with it after you turn multi-factor authentication on." : "You can log in with it now."}`,
  }),
  multi_factor_switched_on: () => ({
    subject: "Multi-factor authentication is on",
    what: "Multi-factor authentication was turned on, and you were logged out everywhere. You now need a second step to log in.",
  }),
  multi_factor_switched_off: (_event, _to, known) => ({
    subject: "Multi-factor authentication is off",
    what: `Multi-factor authentication was turned off. Your recovery codes no longer work. ${nextLogin(known)}`,
  }),
  api_key_made: () => ({
    subject: "A new API key was made",
    what: "A new API key was made for your login. The old key no longer works, and you were logged out everywhere.",
  }),
  api_key_revoked: () => ({
    subject: "Your API key was removed",
    what: "Your API key no longer works, and you were logged out everywhere.",
  }),
  device_removed: ({ detail }, _to, known) => ({
    subject: "A device was removed",
    what: `A device, ${removedDevice(detail)}, was removed from your login.${detail.mfaOff ? ` It was the last one, so multi-factor authentication is off. ${nextLogin(known)}` : ""}`,
  }),
  all_devices_removed: (_event, _to, known) => ({
    subject: "Multi-factor authentication is off",
    what: `All your devices were removed. Your recovery codes no longer work. ${nextLogin(known)}`,
  }),
  multi_factor_reset: (_event, _to, known) => ({
    subject: "Multi-factor authentication was reset",
    what: `All your devices were removed, and you were logged out everywhere. Your recovery codes no longer work. ${nextLogin(known)}`,
  }),
  default_method_changed: ({ detail }) => ({
    subject: "Your default method was changed",
    what: `You will now be asked first for ${ASKED_FIRST[detail.method as Method]}.`,
  }),
  key_counter_regressed: () => ({
    subject: "Your security key may have been copied",
    what: "A security key or passkey of yours gave an answer that only a copy of it should give. We refused it. Your activity says which key it was.",
  }),
  recovery_codes_made: () => ({
    subject: "New recovery codes were made",
    what: "New recovery codes were made for your login. Any older ones no longer work.",
  }),
  recovery_code_used: () => ({
    subject: "A recovery code was used",
    what: "One of your recovery codes was used to log in. It can't be used again.",
  }),
  account_locked: () => ({
    subject: "Your account is locked",
    what: "Your account was locked after too many wrong passcodes. The person who entered them knew your password.",
  }),
  account_unlocked: () => ({
    subject: "Your account is unlocked",
    what: "Your account was unlocked. You can log in again.",
  }),
  role_changed: ({ detail }) => ({
    subject: "Your role was changed",
    what: `Your role is now ${detail.role}, and you were logged out everywhere.`,
  }),
  password_changed: () => ({
    subject: "Your password was changed",
    what: "Your password was changed, and you were logged out everywhere.",
  }),
  account_linked: () => ({
    subject: "A Cloud account was linked",
    what: "You linked a Cloud account to your account.",
  }),
  linked_by_account: () => ({
    subject: "Your Cloud account was linked",
    what: "Someone entered your user name and password and linked your Cloud account to another account.",
  }),
  account_link_refused: () => ({
    subject: "Your password was used to link an account",
    what: "Someone entered your user name and password to link your account to another one. We refused it, and nothing was changed.",
  }),
  email_changed: ({ detail }, to) => ({
    subject: "Your address for notifications was changed",
    what:
      to === "current"
        ? "We now send notifications about your login to this address."
        : `We ${detail.to ? "now send notifications about your login to another address" : "no longer send notifications about your login"}. This is the last email to this address.`,
  }),
};

/** The notice for this type of event, if users are told of it. */
export const noticeOf = (type: string): Notice | undefined =>
  Object.hasOwn(NOTICES, type) ? NOTICES[type as EventType] : undefined;

/** Who is told of the event by mail. Most events are told to nobody. */
export function recipientsOf({ type, userId, detail }: AuditEvent): Recipient[] {
  if (!userId || !noticeOf(type)) return [];
  // Nobody has logged in with a device that was never verified.
  if (type === "device_removed" && !("removed" in detail)) return [];
  if (type !== "email_changed") return ["current"];
  return [
    ...(detail.from ? (["former"] as const) : []),
    ...(detail.to ? (["current"] as const) : []),
  ];
}

/**
 * Events that take over a login or end one. Users must hear of them even if they get too many other
 * notices.
 */
const IMPORTANT: ReadonlySet<string> = new Set<EventType>([
  "device_verified",
  "device_removed",
  "all_devices_removed",
  "multi_factor_reset",
  "multi_factor_switched_on",
  "multi_factor_switched_off",
  "password_changed",
  "api_key_made",
  "api_key_revoked",
  "recovery_codes_made",
  "recovery_code_used",
  "account_locked",
  "key_counter_regressed",
]);

/**
 * Whether the event's notice may use the reserved part of the budget. A change of address may if
 * the user made it.
 */
export const isImportant = ({ type, userId, actorId }: AuditEvent): boolean =>
  IMPORTANT.has(type) || (type === "email_changed" && actorId === userId);

function removedDevice({ removed }: AuditEvent["detail"]): string {
  const [device] = removed as { type: Method }[];
  return device ? DEVICE[device.type] : "one of yours";
}
