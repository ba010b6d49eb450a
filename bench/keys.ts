import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { craftedKey } from "../test/support/crafted-keys.ts";
import type { Person } from "./people.ts";

/** A private key in PEM. All users of a run share one, which costs as much to check as their own. */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The user's security key; its credential ID is made from the user's ID. */
export function keyOf({ userId, privateKey: pem }: Pick<Person, "userId" | "privateKey">) {
  const privateKey = createPrivateKey(pem);
  return craftedKey(userId, { privateKey, publicKey: createPublicKey(privateKey) });
}
