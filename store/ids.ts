import { randomBytes } from "node:crypto";

const OWNED = /^([0-9a-f]{32})[0-9a-f]{24}$/;

/** The actor of what the command line does: no user's id can be this. */
export const OPERATOR_ID = "command_line";

/** A new opaque id: 128 random bits as 32 lower-case hex digits. */
export function newId(): string {
  return randomBytes(16).toString("hex");
}

/** Whether the text can be an id at all; what cannot is not looked up. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** A new id that starts with its user's, so that the id alone names the user's Redis slot. */
export function newOwnedId(userId: string): string {
  return userId + randomBytes(12).toString("hex");
}

/** The user an owned id belongs to; undefined when the text cannot be an owned id. */
export function ownerOf(id: string): string | undefined {
  return OWNED.exec(id)?.[1];
}
