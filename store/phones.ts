/**
 * An E.164 number with all digits hidden except the last four, as it may be shown and stored in
 * workflow histories.
 */
export function maskPhoneNumber(e164: string): string {
  return `+${"•".repeat(Math.max(0, e164.length - 5))}${e164.slice(-4)}`;
}
