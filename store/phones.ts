/** An E.164 number with all but its last four digits hidden, as it may be shown and kept in history. */
export function maskPhoneNumber(e164: string): string {
  return `+${"•".repeat(Math.max(0, e164.length - 5))}${e164.slice(-4)}`;
}
