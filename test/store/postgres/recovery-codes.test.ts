import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { holdingUser } from "../../../store/postgres/holding-user.ts";
import {
  countRecoveryCodes,
  lookUpRecoveryCode,
  replaceRecoveryCodes,
  useRecoveryCode,
} from "../../../store/postgres/recovery-codes.ts";
import type { User } from "../../../store/postgres/schema.ts";
import { AT, burst, database, eventOf, KINDS, newUser } from "./database.ts";

describe.each(KINDS)("recovery codes on %s", (kind) => {
  const pools = database(kind);

  const replace = (user: User, set: Omit<Parameters<typeof replaceRecoveryCodes>[1], "userId">) =>
    holdingUser(pools.db, user.id, (tx) =>
      replaceRecoveryCodes(tx, { userId: user.id, ...set }, eventOf(user)),
    );

  async function withCodes() {
    const user = await newUser(pools.db);
    const hashes = Array.from({ length: 10 }, newId);
    await replace(user, { hashes, at: AT });
    return { user, userId: user.id, hashes, hash: hashes[0] as string };
  }

  test("a code is spent by one of many challenges at once", async () => {
    const { userId, hash } = await withCodes();
    const spent = await burst(pools, 20, (db) =>
      useRecoveryCode(db, { userId, hashes: [hash], challengeId: newId(), at: AT }),
    );
    expect(spent.filter(Boolean)).toEqual([{ remaining: 9 }]);
    const another = { userId, hashes: [hash], challengeId: newId(), at: AT };
    expect(await lookUpRecoveryCode(pools.db, another)).toBe("used");
  });

  test("another user's code does not count", async () => {
    const { hash } = await withCodes();
    const { userId } = await withCodes();
    const attempt = { userId, hashes: [hash], challengeId: newId(), at: AT };
    expect(await lookUpRecoveryCode(pools.db, attempt)).toBeUndefined();
    expect(await useRecoveryCode(pools.db, attempt)).toBeUndefined();
    expect(await countRecoveryCodes(pools.db, userId, AT)).toBe(10);
  });

  test("the challenge that spent a code may send it again", async () => {
    const { userId, hash } = await withCodes();
    const attempt = { userId, hashes: [hash], challengeId: newId(), at: AT };
    const asked = await burst(pools, 6, (db) => useRecoveryCode(db, attempt));
    expect(asked).toEqual(Array(6).fill({ remaining: 9 }));
    expect(await lookUpRecoveryCode(pools.db, attempt)).toBe("good");
  });

  test("a new set voids the old one, also while the old one is being used", async () => {
    const { user, userId, hashes } = await withCodes();
    const fresh = [newId(), newId()];
    await Promise.all([
      replace(user, { hashes: fresh, at: AT }),
      ...hashes.map((hash) =>
        useRecoveryCode(pools.other, { userId, hashes: [hash], challengeId: newId(), at: AT }),
      ),
    ]);
    expect(await countRecoveryCodes(pools.db, userId, AT)).toBe(2);
    for (const hash of hashes) {
      const attempt = { userId, hashes: [hash], challengeId: newId(), at: AT };
      expect(await lookUpRecoveryCode(pools.db, attempt)).toBeUndefined();
    }
  });

  test("a set that expires works until then, and is not counted afterwards", async () => {
    const user = await newUser(pools.db);
    const [userId, hash] = [user.id, newId()];
    const expiresAt = new Date(AT.getTime() + 1000);
    await replace(user, { hashes: [hash], at: AT, expiresAt });
    const attempt = { userId, hashes: [hash], challengeId: newId() };
    const before = new Date(expiresAt.getTime() - 1);
    expect(await countRecoveryCodes(pools.db, userId, before)).toBe(1);
    expect(await countRecoveryCodes(pools.db, userId, expiresAt)).toBe(0);
    expect(await lookUpRecoveryCode(pools.db, { ...attempt, at: expiresAt })).toBeUndefined();
    expect(await useRecoveryCode(pools.db, { ...attempt, at: expiresAt })).toBeUndefined();
    expect(await useRecoveryCode(pools.db, { ...attempt, at: before })).toEqual({ remaining: 0 });
  });
});
