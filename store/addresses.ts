/** An address with all but its first letter and its domain hidden, as the audit tells it. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}

/** The one form of an address that is stored: the domain in lower case, the rest as its owner writes it (RFC 5321 section 2.4). */
export function normalizeAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return address.slice(0, at) + address.slice(at).toLowerCase();
}
