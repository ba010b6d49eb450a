import { isIP } from "node:net";
import type { EventType } from "./event-types.ts";
import { OPERATOR_ID } from "./ids.ts";
import type { Method } from "./methods.ts";
import { BY_PASSWORD } from "./postgres/events.ts";
import type { AuditEvent, Role } from "./postgres/schema.ts";
import { knownBrowser } from "./user-agents.ts";
import { nameInMail } from "./usernames.ts";

/** Who a notice goes to: the user's address, or the address that was just replaced. */
export type Recipient = "current" | "former";

type Told = { subject: string; what: string };

/** What else is known of the user: who requires multi-factor authentication of them now. */
type Known = { requiredBy?: string };

/** What the next login asks for when no device is left. */
const nextLogin = ({ requiredBy }: Known) =>
  requiredBy
    ? `${requiredBy} requires it, so you will be asked to set it up at your next login.`
    : "You can now log in with your password only.";

const DEVICE: Record<Method, string> = { sms: "an SMS device", otp: "an authenticator app" };

type Notice = (event: AuditEvent, to: Recipient, known: Known) => Told;

/** The text of each notice, by the type of event. */
const NOTICES: Partial<Record<EventType, Notice>> = {
  device_verified: ({ workflowId, detail }) => ({
    subject: "A device was added",
    what: `${workflowId?.startsWith("sms") ? "An SMS device" : "An authenticator app"} was added to your login. ${detail.aside ? "You can log in with it after you turn multi-factor authentication on." : "You can log in with it now."}`,
  }),
  multi_factor_switched_on: () => ({
    subject: "Multi-factor authentication is on",
    what: "Multi-factor authentication was turned on, and you were logged out everywhere. You now need a passcode to log in.",
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
    what: `You will now be asked first for a passcode from ${DEVICE[detail.method as Method]}.`,
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
const noticeOf = (type: string): Notice | undefined =>
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
]);

/**
 * Whether the event's notice may use the reserved part of the budget. A change of address may if
 * the user made it.
 */
export const isImportant = ({ type, userId, actorId }: AuditEvent): boolean =>
  IMPORTANT.has(type) || (type === "email_changed" && actorId === userId);

/** What a notice says besides its event. */
type Letterhead = Known & {
  service: string;
  username: string;
  /** The URL of the pages. */
  url?: string;
  /** How to reach Support. */
  support?: string;
  /** The role of another user who did it. */
  actorRole?: Role;
};

/**
 * The mail that tells a user of an event. It holds no secret. The person who caused the event may
 * be an attacker who writes to the user in our name, so the mail holds none of their words except
 * three characters of a user name.
 */
export function writeNotice(
  event: AuditEvent,
  to: Recipient,
  letterhead: Letterhead,
): { subject: string; body: string } {
  const { service, username, url, actorRole } = letterhead;
  const notice = noticeOf(event.type);
  if (!notice) throw new TypeError(`No notice exists for ${event.type}`);
  const told = notice(event, to, letterhead);
  const user = nameInMail(username);
  const lines = [
    told.what,
    "",
    ...(user ? [`User:  ${user}`] : []),
    `When:  ${event.at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    ...whence(event, actorRole),
    "",
    ...whatToDo(event, letterhead),
    ...(url ? ["", "Your activity:", new URL("/activity", url).href] : []),
    "",
    `${service} never asks for a password or a passcode by email.`,
    "",
  ];
  return { subject: `${service}: ${told.subject}`, body: lines.join("\n") };
}

/**
 * What the user should do now, depending on who did it. What somebody else did does not mean that
 * the password is known.
 */
function whatToDo(event: AuditEvent, { url, support, actorRole }: Letterhead): string[] {
  const at = support ? `: ${support}` : ".";
  const page = url ? ` (${new URL("/sessions/password", url).href})` : "";
  if (event.type === "account_locked")
    return [
      `To unlock your account, contact Support${at}`,
      `If you did not enter those passcodes, tell Support. Then log in and change your password${page}: someone knows it.`,
    ];
  // A lock ends by itself only after the right password.
  if (event.type === "account_unlocked" && event.actorId === null)
    return [
      `This happens when someone enters your password. If that was not you, change it${page}.`,
    ];
  if (isTheirs(event))
    return [
      "If this was you, or you asked for it, you have nothing to do.",
      `If this wasn't you, someone may have your password. Log in, change it${page}, end unknown sessions, and contact Support${at}`,
    ];
  return actorRole === "administrator"
    ? [
        "You have nothing to do.",
        `If you did not expect this, ask an administrator of your account, or contact Support${at}`,
      ]
    : [
        "If you asked for this, you have nothing to do.",
        `If you did not ask for it, contact Support${at}`,
      ];
}

/** Another user who did it, by their role at that time. */
const BY: Record<Role, string> = {
  support: "Support",
  administrator: "an administrator of your account",
  member: "another user",
};

/** Whether the user did it, or somebody with the user's password. */
const isTheirs = ({ type, userId, actorId }: AuditEvent) =>
  actorId === userId || BY_PASSWORD.has(type);

/** From where the user did it, or which other person did. Support's location is not shown. */
function whence(event: AuditEvent, role: Role = "member"): string[] {
  const { actorId, ip, userAgent } = event;
  if (actorId === null) return ["By:    the service itself"];
  if (actorId === OPERATOR_ID) return ["By:    an operator of the service"];
  if (!isTheirs(event)) return [`By:    ${BY[role]}`];
  const address = ip && isIP(ip) ? ip : undefined;
  const unknown = address && userAgent ? "an unknown browser" : undefined;
  const place = [address, knownBrowser(userAgent) ?? unknown].filter(Boolean).join(", ");
  return [`From:  ${place || "an unknown place"}`];
}

function removedDevice({ removed }: AuditEvent["detail"]): string {
  const [device] = removed as { type: Method }[];
  return device ? DEVICE[device.type] : "one of yours";
}
