import type { Config } from "../config.ts";

type Sender = Pick<Config, "SERVICE_NAME" | "PUBLIC_URL">;
type Code = { code: string; lifetimeMs: number };

/**
 * The message that proves a phone. Like every SMS here it fits one GSM-7 segment, with a usual
 * service name and host.
 */
export function pinText(sender: Sender, { code, lifetimeMs }: Code): string {
  const text = `${code} is your ${sender.SERVICE_NAME} PIN to verify this phone. It expires in ${minutes(lifetimeMs)}.`;
  return bound(sender, text, code);
}

/** The message of a login. */
export function passcodeText(sender: Sender, { code, lifetimeMs }: Code): string {
  const text = `${code} is your ${sender.SERVICE_NAME} passcode. Never share it. It expires in ${minutes(lifetimeMs)}.`;
  return bound(sender, text, code);
}

/**
 * Binds the code to our origin by its last line, so that browsers offer it on no other site (WICG
 * "Origin-bound one-time codes delivered via SMS", section 2.2: a host, never a port).
 */
function bound({ PUBLIC_URL }: Sender, text: string, code: string): string {
  return PUBLIC_URL ? `${text}\n@${new URL(PUBLIC_URL).hostname} #${code}` : text;
}

function minutes(ms: number): string {
  const count = Math.max(1, Math.round(ms / 60_000));
  return count === 1 ? "1 minute" : `${count} minutes`;
}
