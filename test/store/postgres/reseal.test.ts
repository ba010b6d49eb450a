import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { addNamedDevice, getDevice } from "../../../store/postgres/devices.ts";
import { addWebhook, getWebhook } from "../../../store/postgres/webhooks/webhooks.ts";
import { resealSecrets } from "../../../store/reseal.ts";
import { seal, sealedWith, unseal } from "../../../store/sealing.ts";
import { AT, database, eventOf, KINDS, newUser } from "./database.ts";

const older = { id: "old", key: randomBytes(32) };
const newer = { id: "new", key: randomBytes(32) };

describe.each(KINDS)("re-sealing on %s", (kind) => {
  const pools = database(kind);

  async function sealedDevice() {
    const user = await newUser(pools.db);
    const id = newId();
    const secret = seal([older], `secret of ${id}`, id);
    const device = { type: "otp" as const, id, userId: user.id, name: "App", secret, at: AT };
    await addNamedDevice(pools.db, device, 5, eventOf(user));
    return { id, userId: user.id };
  }

  test("moves every secret to the new key; two runs at once share the work", async () => {
    const devices = [];
    for (let n = 0; n < 130; n++) devices.push(await sealedDevice());
    const keyring = [newer, older];
    const shares = await Promise.all([
      resealSecrets(pools.db, keyring),
      resealSecrets(pools.other, keyring),
    ]);
    expect(shares[0] + shares[1]).toBe(devices.length);
    for (const { id, userId } of devices) {
      const secret = (await getDevice(pools.db, userId, id))?.secret ?? "";
      expect(sealedWith(secret)).toBe("new");
      expect(unseal([newer], secret, id).toString()).toBe(`secret of ${id}`);
    }
    expect(await resealSecrets(pools.db, keyring)).toBe(0);
  });

  test("moves the secrets of webhooks as well", async () => {
    const { id: createdBy, accountId, ...user } = await newUser(pools.db);
    const id = newId();
    const secret = seal([older], "whsec_secret", id);
    const webhook = { id, accountId, url: "https://example.com/", secret, types: null };
    const event = eventOf({ ...user, id: createdBy, accountId });
    await addWebhook(pools.db, { ...webhook, createdBy, createdAt: AT }, 10, event);
    expect(await resealSecrets(pools.db, [newer, older])).toBe(1);
    const sealed = (await getWebhook(pools.db, accountId, id))?.secret ?? "";
    expect(unseal([newer], sealed, id).toString()).toBe("whsec_secret");
  });

  test("fails if the old key is missing, and leaves the secret as it was", async () => {
    const { id, userId } = await sealedDevice();
    await expect(resealSecrets(pools.db, [newer])).rejects.toThrow();
    const secret = (await getDevice(pools.db, userId, id))?.secret ?? "";
    expect(unseal([older], secret, id).toString()).toBe(`secret of ${id}`);
    await resealSecrets(pools.db, [newer, older]);
  });
});
