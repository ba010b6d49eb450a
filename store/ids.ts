import { randomBytes } from "node:crypto";

const OWNED = /^([0-9a-f]{32})[0-9a-f]{24}$/;

/** The actor of everything done by the command line. No user's ID can equal it. */
export const OPERATOR_ID = "command_line";

/** A new opaque id: 128 random bits as 32 lower-case hex digits. */
export function newId(): string {
  return randomBytes(16).toString("hex");
}

/** Whether the text has the form of an ID. Other texts need no look-up. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/**
 * A new ID that starts with its user's ID, so that the ID alone determines the user's Redis slot.
 */
export function newOwnedId(userId: string): string {
  return userId + randomBytes(12).toString("hex");
}

/** The user that an owned ID belongs to; undefined if the text is not an owned ID. */
export function ownerOf(id: string): string | undefined {
  return OWNED.exec(id)?.[1];
}
