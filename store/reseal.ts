import type { Db } from "./postgres/connect.ts";
import { listSecretsNotSealedWith, updateSecret } from "./postgres/devices.ts";
import { type Keyring, seal, unseal } from "./sealing.ts";

const BATCH = 100;

/**
 * Seals every secret that is under an older key anew with the keyring's first, while the service
 * runs: one that changes meanwhile is looked at again. Answers how many; throws when one is under
 * a key that is not in the keyring, and then those before it are done.
 */
export async function resealSecrets(db: Db, keyring: Keyring): Promise<number> {
  const [active] = keyring;
  if (!active) throw new Error("The keyring is empty");
  let resealed = 0;
  for (;;) {
    const old = await listSecretsNotSealedWith(db, active.id, BATCH);
    if (old.length === 0) return resealed;
    for (const { id: deviceId, secret: from } of old) {
      const to = seal(keyring, unseal(keyring, from, deviceId), deviceId);
      if (await updateSecret(db, { deviceId, from, to })) resealed += 1;
    }
  }
}
