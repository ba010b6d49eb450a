import { isIP } from "node:net";
import type { Method } from "./methods.ts";
import type { AuditEvent } from "./postgres/schema.ts";
import { knownBrowser } from "./user-agents.ts";

/** Whom a notice goes to: the user's address, or the one that a change of it has just replaced. */
export type Recipient = "current" | "former";

type Told = { subject: string; what: string };

const DEVICE: Record<Method, string> = { sms: "an SMS device", otp: "an authenticator app" };

/** What the user is told of, by the type of event. */
const NOTICES: Record<string, (event: AuditEvent, to: Recipient) => Told> = {
  device_verified: ({ workflowId, detail }) => ({
    subject: "A device was added",
    what: `${workflowId?.startsWith("sms") ? "An SMS device" : "An authenticator app"} was added to your login. Its passcodes log you in ${detail.aside ? "once you turn multi-factor authentication on" : "from now on"}.`,
  }),
  multi_factor_switched_on: () => ({
    subject: "Multi-factor authentication is on",
    what: "Multi-factor authentication was turned on, and you were logged out everywhere. Logins ask for a passcode from now on.",
  }),
  multi_factor_switched_off: () => ({
    subject: "Multi-factor authentication is off",
    what: "Multi-factor authentication was turned off, and your recovery codes are void. A password alone opens your login.",
  }),
  api_key_made: () => ({
    subject: "A new API key was made",
    what: "A new API key was made for your login. The one before it is void, and you were logged out everywhere.",
  }),
  api_key_revoked: () => ({
    subject: "Your API key was taken away",
    what: "Your API key works no more, and you were logged out everywhere.",
  }),
  device_removed: ({ detail }) => ({
    subject: "A device was removed",
    what: `A device, ${removedDevice(detail)}, was removed from your login.${detail.mfaOff ? " It was the last one: multi-factor authentication is off." : ""}`,
  }),
  all_devices_removed: () => ({
    subject: "Multi-factor authentication is off",
    what: "All your devices were removed, and your recovery codes are void. A password alone opens your login.",
  }),
  multi_factor_reset: () => ({
    subject: "Multi-factor authentication was reset",
    what: "All your devices were removed, your recovery codes are void, and you were logged out everywhere. A password alone opens your login.",
  }),
  default_method_changed: ({ detail }) => ({
    subject: "Your default method was changed",
    what: `Your logins begin with ${DEVICE[detail.method as Method]} from now on.`,
  }),
  recovery_codes_made: () => ({
    subject: "New recovery codes were made",
    what: "New recovery codes were made for your login. The ones before them are void.",
  }),
  recovery_code_used: () => ({
    subject: "A recovery code was used",
    what: "One of your recovery codes was used to log in. It works no more.",
  }),
  account_locked: () => ({
    subject: "Your account is locked",
    what: "Your account was locked after too many wrong passcodes. Whoever typed them knew your password.",
  }),
  account_unlocked: () => ({
    subject: "Your account is unlocked",
    what: "Your account was unlocked: you can log in again.",
  }),
  role_changed: ({ detail }) => ({
    subject: "Your role was changed",
    what: `Your role is ${detail.role} from now on, and you were logged out everywhere.`,
  }),
  password_changed: () => ({
    subject: "Your password was changed",
    what: "Your password was changed, and you were logged out everywhere.",
  }),
  email_changed: ({ detail }, to) => ({
    subject: "Your address for notices was changed",
    what:
      to === "current"
        ? "Notices about your login come to this address from now on."
        : `Notices about your login ${detail.to ? "go to another address" : "go nowhere"} from now on. This is the last one to this address.`,
  }),
};

/** To whom the event is told by mail; nobody for most events. */
export function recipientsOf({ type, userId, detail }: AuditEvent): Recipient[] {
  if (!userId || !Object.hasOwn(NOTICES, type)) return [];
  // A device that was never verified logged nobody in.
  if (type === "device_removed" && !("removed" in detail)) return [];
  if (type !== "email_changed") return ["current"];
  return [
    ...(detail.from ? (["former"] as const) : []),
    ...(detail.to ? (["current"] as const) : []),
  ];
}

/**
 * The mail that tells a user of an event: nothing in it is secret, and nothing in the words of
 * whoever caused the event, who may be an attacker writing to the user in our name.
 */
export function writeNotice(
  event: AuditEvent,
  to: Recipient,
  { service, username, url }: { service: string; username: string; url?: string },
): { subject: string; body: string } {
  const notice = NOTICES[event.type];
  if (!notice) throw new TypeError(`Nobody is told of ${event.type}`);
  const { subject, what } = notice(event, to);
  const look = url && new URL("/activity", url).href;
  const lines = [
    what,
    "",
    `User:  ${username}`,
    `When:  ${event.at.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    ...whence(event),
    "",
    "If you did this or asked for it, there is nothing to do.",
    `If not, somebody else may have your password. Tell your administrator or Support at once, log in, and end the sessions and remove the devices that are not yours${look ? ":" : "."}`,
    ...(look ? [look] : []),
    "",
    `${service} never asks for a password or a passcode by e-mail.`,
    "",
  ];
  return { subject: `${service}: ${subject}`, body: lines.join("\n") };
}

/** From where the user did it, or that another did; Support's own place is nobody's concern. */
function whence({ userId, actorId, ip, userAgent }: AuditEvent): string[] {
  if (actorId === null) return ["By:    the service itself"];
  if (actorId !== userId) return ["By:    Support, an administrator or an operator"];
  const address = ip && isIP(ip) ? ip : undefined;
  const place = [address, knownBrowser(userAgent)].filter(Boolean).join(", ");
  return [`From:  ${place || "an unknown place"}`];
}

function removedDevice({ removed }: AuditEvent["detail"]): string {
  const [device] = removed as { type: Method }[];
  return device ? DEVICE[device.type] : "one of yours";
}
