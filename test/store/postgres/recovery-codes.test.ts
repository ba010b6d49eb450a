import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import {
  canUseRecoveryCode,
  countRecoveryCodes,
  replaceRecoveryCodes,
  useRecoveryCode,
} from "../../../store/postgres/recovery-codes.ts";
import { AT, burst, database, eventOf, KINDS, newUser } from "./database.ts";

describe.each(KINDS)("recovery codes on %s", (kind) => {
  const pools = database(kind);

  async function withCodes() {
    const user = await newUser(pools.db);
    const hashes = Array.from({ length: 10 }, newId);
    await replaceRecoveryCodes(pools.db, { userId: user.id, hashes, at: AT }, eventOf(user));
    return { user, userId: user.id, hashes, hash: hashes[0] as string };
  }

  test("one of many challenges at once spends a code", async () => {
    const { userId, hash } = await withCodes();
    const spent = await burst(pools, 20, (db) =>
      useRecoveryCode(db, { userId, hash, challengeId: newId(), at: AT }),
    );
    expect(spent.filter(Boolean)).toEqual([{ remaining: 9 }]);
    expect(await canUseRecoveryCode(pools.db, { userId, hash, challengeId: newId() })).toBe(false);
  });

  test("another user's code is no code", async () => {
    const { hash } = await withCodes();
    const { userId } = await withCodes();
    const attempt = { userId, hash, challengeId: newId() };
    expect(await canUseRecoveryCode(pools.db, attempt)).toBe(false);
    expect(await useRecoveryCode(pools.db, { ...attempt, at: AT })).toBeUndefined();
    expect(await countRecoveryCodes(pools.db, userId)).toBe(10);
  });

  test("the challenge that spent a code may ask again", async () => {
    const { userId, hash } = await withCodes();
    const attempt = { userId, hash, challengeId: newId() };
    const asked = await burst(pools, 6, (db) => useRecoveryCode(db, { ...attempt, at: AT }));
    expect(asked).toEqual(Array(6).fill({ remaining: 9 }));
    expect(await canUseRecoveryCode(pools.db, attempt)).toBe(true);
  });

  test("a new set voids the old, also while the old is being used", async () => {
    const { user, userId, hashes } = await withCodes();
    const fresh = [newId(), newId()];
    await Promise.all([
      replaceRecoveryCodes(pools.db, { userId, hashes: fresh, at: AT }, eventOf(user)),
      ...hashes.map((hash) =>
        useRecoveryCode(pools.other, { userId, hash, challengeId: newId(), at: AT }),
      ),
    ]);
    expect(await countRecoveryCodes(pools.db, userId)).toBe(2);
    for (const hash of hashes) {
      const attempt = { userId, hash, challengeId: newId() };
      expect(await canUseRecoveryCode(pools.db, attempt)).toBe(false);
    }
  });
});
