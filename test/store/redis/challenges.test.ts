import { expect, test } from "vitest";
import { newId, newOwnedId } from "../../../store/ids.ts";
import { openChallenge, readChallenge, storePasscode } from "../../../store/redis/challenges.ts";
import { NOW, newUser, twoClients } from "./clients.ts";

const [redis] = await twoClients();

test("nobody reads or fills a challenge that was never opened", async () => {
  for (const challengeId of ["", "*", newId(), newOwnedId(newId())]) {
    expect(await readChallenge(redis, challengeId)).toBeUndefined();
    expect(await storePasscode(redis, { challengeId, hash: "x", expiresAt: NOW + 1 })).toBe(false);
    expect(await readChallenge(redis, challengeId)).toBeUndefined();
  }
});

test("reads back what was opened, without its passcode", async () => {
  const user = newUser();
  const challengeId = newOwnedId(user.userId);
  const opened = { ...user, epochs: { user: 3, account: 1 }, expiresAt: NOW + 600_000 };
  await openChallenge(redis, { challengeId, ...opened, now: NOW });
  expect(await storePasscode(redis, { challengeId, hash: "x", expiresAt: NOW + 1 })).toBe(true);
  expect(await readChallenge(redis, challengeId)).toEqual(opened);
});
