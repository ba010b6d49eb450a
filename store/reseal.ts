import type { Db } from "./postgres/connect.ts";
import { listSecretsNotSealedWith, updateSecret } from "./postgres/devices.ts";
import {
  listWebhookSecretsNotSealedWith,
  updateWebhookSecret,
} from "./postgres/webhooks/webhooks.ts";
import { type Keyring, seal, unseal } from "./sealing.ts";

const BATCH = 100;

type Sealed = { id: string; secret: string };

/** The tables that hold secrets, each sealed for the ID of its row. */
const PLACES = [
  {
    list: listSecretsNotSealedWith,
    update: (db: Db, { id: deviceId, from, to }: Replaced) =>
      updateSecret(db, { deviceId, from, to }),
  },
  { list: listWebhookSecretsNotSealedWith, update: updateWebhookSecret },
];

type Replaced = { id: string; from: string; to: string };

/**
 * Re-seals every secret that is under an older key with the keyring's first key, while the service
 * runs. A secret that changes meanwhile is read again. Answers how many were re-sealed. Throws if a
 * secret's key is not in the keyring; the secrets before it are then done.
 */
export async function resealSecrets(db: Db, keyring: Keyring): Promise<number> {
  const [active] = keyring;
  if (!active) throw new Error("The keyring is empty");
  let resealed = 0;
  for (const { list, update } of PLACES) {
    for (;;) {
      const old: Sealed[] = await list(db, active.id, BATCH);
      if (old.length === 0) break;
      for (const { id, secret: from } of old) {
        const to = seal(keyring, unseal(keyring, from, id), id);
        if (await update(db, { id, from, to })) resealed += 1;
      }
    }
  }
  return resealed;
}
