import { expect, test } from "vitest";
import { newId, newOwnedId } from "../../../store/ids.ts";
import { keys } from "../../../store/redis/keys.ts";
import { openChallenge, readChallenge } from "../../../store/redis/second-step/challenges.ts";
import { isKnownAddress, rememberAddress } from "../../../store/redis/sessions/known-addresses.ts";
import { checkSession } from "../../../store/redis/sessions/live-sessions.ts";
import { readEpochs } from "../../../store/redis/sessions/revocations.ts";
import { openSession, revokeSession } from "../../../store/redis/sessions/sessions.ts";
import { DAY_MS } from "../../../units.ts";
import { NOW, newUser, twoClients } from "./clients.ts";

const [redis] = await twoClients();

/** A new user, and what opens a session of theirs. */
async function newOpener() {
  const user = newUser();
  const epochs = await readEpochs(redis, user.userId, user.accountId);
  const open = async (now: number, lifetimeMs = DAY_MS) => {
    const opened = await openSession(redis, {
      ...{ ...user, username: "somebody", role: "member", scope: "full", amr: ["pwd"] },
      ...{ epochs, now, lifetimeMs },
    });
    if (typeof opened === "string") throw new Error(opened);
    return opened;
  };
  return { user, open };
}

test("a user has a hundred sessions at most: one more ends the one that would end first", async () => {
  const { user, open } = await newOpener();
  const tokens = [];
  for (let n = 0; n < 103; n++) tokens.push((await open(NOW + n)).token);
  const at = { now: NOW + 103, idleMs: DAY_MS };
  const live = await Promise.all(tokens.map((token) => checkSession(redis, token, at)));
  expect(live.map(({ ok }) => ok)).toEqual([...Array(3).fill(false), ...Array(100).fill(true)]);
  expect(await redis.zCard(keys.sessions(user.userId))).toBe(100);
});

test("attack: endless logins and logouts keep a hundred sessions, and end no other", async () => {
  const { user, open } = await newOpener();
  const { token: kept } = await open(NOW);
  const at = { now: NOW + 200, idleMs: DAY_MS };
  let last = "";
  for (let n = 1; n <= 130; n++) {
    const { token, session } = await open(NOW + n);
    const end = { userId: user.userId, sessionId: session.id, reason: "signed_out", now: NOW + n };
    await revokeSession(redis, end);
    last = token;
  }
  expect(await redis.keys(keys.session(user.userId, "*"))).toHaveLength(100);
  expect(await checkSession(redis, kept, at)).toMatchObject({ ok: true });
  // The newest still says why it ended.
  expect(await checkSession(redis, last, at)).toMatchObject({ reason: "signed_out" });
  // Those that expired are bounded, too.
  for (let n = 0; n < 130; n++) {
    await open(NOW + n * (DAY_MS / 100), 1000);
  }
  expect((await redis.keys(keys.session(user.userId, "*"))).length).toBeLessThanOrEqual(100);
});

test("attack: of endless challenges that expire, fifty are kept at a time", async () => {
  const user = newUser();
  const epochs = await readEpochs(redis, user.userId, user.accountId);
  for (let n = 0; n < 80; n++)
    await openChallenge(redis, {
      hasKey: false,
      ...{ ...user, challengeId: newOwnedId(user.userId), epochs },
      ...{ now: NOW + n * 1000, expiresAt: NOW + n * 1000 + 500 },
    });
  expect(await redis.keys(keys.challenge(user.userId, "*"))).toHaveLength(50);
});

test("a user has fifty challenges at most: one more replaces the oldest", async () => {
  const user = newUser();
  const epochs = await readEpochs(redis, user.userId, user.accountId);
  const ids = Array.from({ length: 53 }, () => newOwnedId(user.userId));
  for (const [n, challengeId] of ids.entries())
    await openChallenge(redis, {
      hasKey: false,
      ...{ ...user, challengeId, epochs },
      ...{ now: NOW, expiresAt: NOW + 600_000 + n },
    });
  const found = await Promise.all(ids.map((id) => readChallenge(redis, id)));
  expect(found.map(Boolean)).toEqual([...Array(3).fill(false), ...Array(50).fill(true)]);
  expect(await redis.zCard(keys.challenges(user.userId))).toBe(50);
});

test("a user's newest addresses are known, each as long as it is used", async () => {
  const id = newId();
  const key = keys.knownAddresses(id);
  const at = { key, failures: keys.knownFailures(id, "any") };
  const known = (address: string, now = NOW) =>
    isKnownAddress(redis, key, address, { now, withinMs: DAY_MS });
  for (let n = 0; n < 5; n++)
    await rememberAddress(redis, at, `address ${n}`, { now: NOW - 5 + n, most: 3 });
  expect(await Promise.all([0, 1, 2, 3, 4].map((n) => known(`address ${n}`)))).toEqual([
    ...[false, false],
    ...[true, true, true],
  ]);
  expect(await known("address 4", NOW + DAY_MS)).toBe(false);
  await rememberAddress(redis, at, "address 4", { now: NOW + DAY_MS, most: 3 });
  expect(await known("address 4", NOW + DAY_MS)).toBe(true);
});
