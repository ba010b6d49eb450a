import { isIP } from "node:net";
import { OPERATOR_ID } from "./ids.ts";
import { type Known, noticeOf, type Recipient } from "./notices.ts";
import { BY_PASSWORD } from "./postgres/events/read-events.ts";
import type { AuditEvent, Role } from "./postgres/schema.ts";
import { knownBrowser } from "./user-agents.ts";
import { nameInMail } from "./usernames.ts";

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
  const text = notice(event, to, letterhead);
  const user = nameInMail(username);
  const lines = [
    text.what,
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
  return { subject: `${service}: ${text.subject}`, body: lines.join("\n") };
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
  if (event.type === "key_counter_regressed")
    return [
      "Log in with another device, remove that key, end all other sessions, and add another key.",
      `If you did not use the key at that time, contact Support${at}`,
    ];
  // A lock ends by itself only after the right password.
  if (event.type === "account_unlocked" && event.actorId === null)
    return [
      `This happens when someone enters your password. If that was not you, change it${page}.`,
    ];
  if (isTheirs(event))
    return [
      "If this was you, or you asked for it, you have nothing to do.",
      `If this wasn't you, someone may have your password. Log in, change it${page}, remove devices that you don't know, end unknown sessions, and contact Support${at}`,
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
