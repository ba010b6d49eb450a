import { describe, expect, test } from "vitest";
import { newId, newOwnedId } from "../../../../store/ids.ts";
import { checkPasscode } from "../../../../store/redis/second-step/attempts.ts";
import {
  openChallenge,
  readChallenge,
  storePasscode,
} from "../../../../store/redis/second-step/challenges.ts";
import { failures } from "../../../../store/redis/second-step/failures.ts";
import { checkSession, listSessions } from "../../../../store/redis/sessions/live-sessions.ts";
import {
  readEpochs,
  revokeAccount,
  revokeUser,
  scheduleEnforcement,
} from "../../../../store/redis/sessions/revocations.ts";
import {
  addFactor,
  type NewSession,
  openSession,
  revokeSession,
} from "../../../../store/redis/sessions/sessions.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../../units.ts";
import { burst, NOW, newUser, tally, twoClients } from "../clients.ts";

const clients = await twoClients();
const [redis] = clients;
const idleMs = HOUR_MS;
const withMfa = ["pwd", "sms", "mfa"];

type User = ReturnType<typeof newUser>;

async function login(user: User, overrides: Partial<NewSession> = {}) {
  return openSession(redis, {
    ...user,
    username: "somebody",
    role: "member",
    scope: "full",
    amr: withMfa,
    epochs: await readEpochs(redis, user.userId, user.accountId),
    now: NOW,
    lifetimeMs: DAY_MS,
    ...overrides,
  });
}

async function loggedIn(user: User, overrides: Partial<NewSession> = {}) {
  const opened = await login(user, overrides);
  if (typeof opened === "string") throw new Error(opened);
  return opened;
}

const check = (token: string, now = NOW) => checkSession(redis, token, { now, idleMs });

describe("a forged token", () => {
  test("opens no session, and does not keep the real one alive", async () => {
    const { token, session } = await loggedIn(newUser());
    const [id = "", secret = ""] = token.split(".");
    const { token: other } = await loggedIn(newUser());
    const forged = [
      "",
      ".",
      id,
      `${id}.`,
      `${id}.${secret.slice(0, -1)}`,
      `${id}.${secret}.`,
      `${id}.${"A".repeat(secret.length)}`,
      `${id}.${other.split(".")[1]}`,
      `${newOwnedId(session.userId)}.${secret}`,
      `${newId()}.${secret}`,
      `*.${secret}`,
      `${id}.\u{1f511}`,
    ];
    for (const text of forged) {
      const state = await check(text, NOW + HOUR_MS - 1);
      expect(state, text).toEqual({ ok: false, code: "session_unknown" });
    }
    expect(await check(token, NOW + HOUR_MS)).toMatchObject({ code: "session_expired" });
  });

  test("cannot be made from what Redis keeps", async () => {
    const { token, session } = await loggedIn(newUser());
    const kept = await redis.hGetAll(`mfa:{${session.userId}}:session:${session.id}`);
    expect(JSON.stringify(kept)).not.toContain(token.split(".")[1]);
    expect(await check(`${session.id}.${kept.secretHash}`)).toMatchObject({ ok: false });
  });
});

/** A revocation for a new fact. */
const because = (reason: string) => ({ reason, now: NOW, fact: newId() });

describe("a login that raced with a revocation", () => {
  test("gets no session if the user's sessions were ended after it began", async () => {
    const user = newUser();
    const epochs = await readEpochs(redis, user.userId, user.accountId);
    await revokeUser(redis, user.userId, because("device_verified"));
    expect(await login(user, { epochs })).toBe("stale");
    expect(await listSessions(redis, user, { now: NOW, idleMs })).toEqual([]);
  });

  test("keeps its session if the same revocation comes again, as by a retry", async () => {
    const user = newUser();
    const mark = because("device_verified");
    await revokeUser(redis, user.userId, mark);
    const { token } = await loggedIn(user, {
      epochs: await readEpochs(redis, user.userId, user.accountId),
    });
    await revokeUser(redis, user.userId, mark);
    expect(await check(token)).toMatchObject({ ok: true });
  });

  test("gets an ended session if its account now requires what it does not have", async () => {
    const user = newUser();
    const epochs = await readEpochs(redis, user.userId, user.accountId);
    await revokeAccount(redis, user.accountId, because("policy_required"));
    const { token } = await loggedIn(user, { epochs, amr: ["pwd"] });
    const ended = { ok: false, code: "session_revoked", reason: "policy_required" };
    expect(await check(token)).toEqual(ended);
  });

  test("is either refused or ended, in any order of fifty", async () => {
    const user = newUser();
    const epochs = await readEpochs(redis, user.userId, user.accountId);
    const [opened] = await Promise.all([
      burst(clients, 50, () => login(user, { epochs })),
      revokeUser(clients[1], user.userId, because("device_verified")),
    ]);
    for (const session of opened) {
      if (session !== "stale" && typeof session !== "string") {
        expect(await check(session.token)).toMatchObject({ code: "session_revoked" });
      }
    }
    expect(await listSessions(redis, user, { now: NOW, idleMs })).toEqual([]);
  });
});

describe("a session that a challenge opens", () => {
  async function challenged() {
    const user = newUser();
    const challengeId = newOwnedId(user.userId);
    const epochs = { user: 0, account: 0, accountKeys: 0 };
    await openChallenge(redis, {
      hasKey: false,
      challengeId,
      ...user,
      epochs,
      expiresAt: NOW + 10 * MINUTE_MS,
      now: NOW,
    });
    await storePasscode(redis, { challengeId, hash: "right", expiresAt: NOW + 10 * MINUTE_MS });
    const attempt = (passcodeHash: string) =>
      checkPasscode(redis, {
        challengeId,
        now: NOW,
        passcodeHashes: [passcodeHash],
        wrongAllowed: 6,
        requestsAllowed: 1000,
      });
    const challenge = { id: challengeId, wrongAllowed: 6 };
    return { user, challengeId, attempt, challenge };
  }

  test("is opened once, however many requests had the right passcode", async () => {
    const { user, challengeId, challenge } = await challenged();
    const opened = await burst(clients, 50, () => login(user, { challenge }));
    const refused = opened.filter((session) => typeof session === "string");
    expect(tally(refused)).toEqual({ completed: 49 });
    const [live] = await listSessions(redis, user, { now: NOW, idleMs });
    expect((await readChallenge(redis, challengeId))?.completedBy).toBe(live?.id);
  });

  test("uses up the passcode and resets the count of failures", async () => {
    const { user, challengeId, attempt, challenge } = await challenged();
    await attempt("wrong");
    await loggedIn(user, { challenge });
    expect(await attempt("right")).toEqual({ outcome: "completed" });
    expect(await storePasscode(redis, { challengeId, hash: "x", expiresAt: NOW + 1 })).toBe(false);
    const kept = await redis.hGetAll(`mfa:{${user.userId}}:challenge:${challengeId}`);
    expect(JSON.stringify(kept)).not.toContain("right");
    // A pending wrong attempt is counted only after 30 seconds, so look a minute later.
    expect(await failures(redis, user.userId, NOW + 60_000)).toBe(0);
  });

  test("is refused if wrong guesses locked the user meanwhile, and the lock stays", async () => {
    const { user, attempt, challenge } = await challenged();
    expect(await attempt("right")).toMatchObject({ outcome: "accepted" });
    for (let guess = 0; guess < 7; guess++) await attempt("wrong");
    expect(await login(user, { challenge })).toBe("locked");
    expect(await failures(redis, user.userId, NOW + 60_000)).toBe(7);
  });

  test("is refused for an unknown challenge, or another user's", async () => {
    const { challenge } = await challenged();
    const user = newUser();
    expect(await login(user, { challenge })).toBe("stale");
    const unknown = { id: newOwnedId(user.userId), wrongAllowed: 6 };
    expect(await login(user, { challenge: unknown })).toBe("stale");
  });
});

describe("revocation", () => {
  test("of a user ends all sessions at once with its reason, and no later one", async () => {
    const user = newUser();
    const other = await loggedIn({ ...newUser(), accountId: user.accountId });
    const before = await Promise.all([loggedIn(user), loggedIn(user, { amr: ["pwd"] })]);
    await revokeUser(redis, user.userId, because("device_verified"));
    for (const { token } of before) {
      const ended = { ok: false, code: "session_revoked", reason: "device_verified" };
      expect(await check(token)).toEqual(ended);
    }
    expect(await check((await loggedIn(user)).token)).toMatchObject({ ok: true });
    expect(await check(other.token)).toMatchObject({ ok: true });
    await revokeUser(redis, user.userId, because("devices_removed"));
    expect(await check(before[0].token)).toMatchObject({ reason: "devices_removed" });
  });

  test("of an account ends only the sessions without a second factor", async () => {
    const user = newUser();
    const sessions = await Promise.all([
      loggedIn(user, { amr: ["pwd"] }),
      loggedIn(user, { amr: ["pwd"], scope: "mfa_setup" }),
      loggedIn({ ...newUser(), accountId: user.accountId }, { amr: ["pwd"] }),
      loggedIn(user, { amr: ["pwd", "otp", "mfa"] }),
      loggedIn(newUser(), { amr: ["pwd"] }),
    ]);
    await revokeAccount(redis, user.accountId, because("policy_required"));
    const states = await Promise.all(sessions.map(({ token }) => check(token)));
    expect(states.map(({ ok }) => ok)).toEqual([false, false, false, true, true]);
    expect(states[0]).toEqual({ ok: false, code: "session_revoked", reason: "policy_required" });
    const live = await listSessions(redis, user, { now: NOW, idleMs });
    expect(live.map(({ id }) => id)).toEqual([sessions[3].session.id]);
  });

  test("of one session ends that one, once, and only for its owner", async () => {
    const user = newUser();
    const { token, session } = await loggedIn(user);
    const { token: kept } = await loggedIn(user);
    const end = (userId: string) =>
      revokeSession(redis, { userId, sessionId: session.id, reason: "signed_out", now: NOW });
    expect(await end(newId())).toBe(false);
    expect(await check(token)).toMatchObject({ ok: true });
    const ended = await burst(clients, 20, () => end(user.userId));
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(await check(token)).toEqual({
      ok: false,
      code: "session_revoked",
      reason: "signed_out",
    });
    expect(await check(kept)).toMatchObject({ ok: true });
  });
});

describe("the lifetime of a session", () => {
  test("has a fixed end, however often the session is used", async () => {
    const { token } = await loggedIn(newUser());
    for (let now = NOW; now < NOW + DAY_MS; now += HOUR_MS - 1) {
      expect(await check(token, now)).toMatchObject({ ok: true });
    }
    expect(await check(token, NOW + DAY_MS - 1)).toMatchObject({ ok: true });
    const expired = { ok: false, code: "session_expired", reason: "lifetime" };
    expect(await check(token, NOW + DAY_MS)).toEqual(expired);
  });

  test("ends after an idle hour, and an expired session does not come back", async () => {
    const { token } = await loggedIn(newUser());
    expect(await check(token, NOW + HOUR_MS - 1)).toMatchObject({ ok: true });
    const idle = { ok: false, code: "session_expired", reason: "idle" };
    expect(await check(token, NOW + 2 * HOUR_MS - 1)).toEqual(idle);
    expect(await check(token, NOW + 2 * HOUR_MS)).toEqual(idle);
  });

  test("notes a use at most once a minute", async () => {
    const { token } = await loggedIn(newUser());
    await check(token, NOW + MINUTE_MS - 1);
    expect(await check(token, NOW + MINUTE_MS)).toMatchObject({ session: { lastSeenAt: NOW } });
    expect(await check(token, NOW + MINUTE_MS)).toMatchObject({
      session: { lastSeenAt: NOW + MINUTE_MS },
    });
  });

  test("is fifteen minutes for a set-up session", async () => {
    const setup = { scope: "mfa_setup", amr: ["pwd"], lifetimeMs: 15 * MINUTE_MS } as const;
    const { token } = await loggedIn(newUser(), { ...setup, amr: [...setup.amr] });
    expect(await check(token)).toMatchObject({ session: { scope: "mfa_setup" } });
    expect(await check(token, NOW + 15 * MINUTE_MS)).toMatchObject({ code: "session_expired" });
  });
});

test("a session shows who, how, when and from where", async () => {
  const user = newUser();
  const from = { ip: "192.0.2.1", userAgent: "Firefox" };
  const { token, session } = await loggedIn(user, { ...from, role: "administrator" });
  expect(await check(token)).toEqual({ ok: true, session });
  expect(session).toEqual({
    id: session.id,
    username: "somebody",
    ...user,
    ...from,
    role: "administrator",
    scope: "full",
    amr: withMfa,
    authenticatedAt: NOW,
    createdAt: NOW,
    lastSeenAt: NOW,
    expiresAt: NOW + DAY_MS,
  });
});

test("lists only the user's own live sessions", async () => {
  const user = newUser();
  await loggedIn({ ...newUser(), accountId: user.accountId });
  const first = await loggedIn(user);
  const second = await loggedIn(user, { now: NOW + MINUTE_MS });
  const list = await listSessions(redis, user, { now: NOW + MINUTE_MS, idleMs });
  expect(list.map(({ id }) => id)).toEqual([second.session.id, first.session.id]);
  expect(await listSessions(redis, user, { now: NOW + HOUR_MS, idleMs })).toHaveLength(1);
  expect(await listSessions(redis, user, { now: NOW + DAY_MS, idleMs })).toEqual([]);
});

describe("a session that gains a factor", () => {
  const amr = ["pwd", "otp", "mfa"];

  test("keeps it and its login time, and survives the account's requirement", async () => {
    const user = newUser();
    const { token, session } = await loggedIn(user, { amr: ["pwd"] });
    const stronger = await addFactor(redis, { sessionId: session.id, amr, now: NOW + MINUTE_MS });
    // Proving a factor is not a login: the login time stays.
    expect(stronger).toMatchObject({ amr, authenticatedAt: NOW });
    await revokeAccount(redis, user.accountId, because("policy_required"));
    expect(await check(token)).toEqual({ ok: true, session: stronger });
  });

  test("is the user's only one after the first second factor, but not after another one", async () => {
    const user = newUser();
    const [mine, stolen] = [
      await loggedIn(user, { amr: ["pwd"] }),
      await loggedIn(user, { amr: ["pwd"] }),
    ];
    await addFactor(redis, { sessionId: mine.session.id, amr, now: NOW });
    expect(await check(stolen.token)).toMatchObject({ reason: "device_verified" });
    const other = await loggedIn(user, { amr });
    await addFactor(redis, { sessionId: mine.session.id, amr, now: NOW });
    expect(await check(mine.token)).toMatchObject({ ok: true });
    expect(await check(other.token)).toMatchObject({ ok: true });
  });

  test("stays ended if it had ended before", async () => {
    const user = newUser();
    const first = await loggedIn(user);
    const second = await loggedIn(user);
    const signedOut = { userId: user.userId, sessionId: first.session.id, reason: "signed_out" };
    await revokeSession(redis, { ...signedOut, now: NOW });
    const add = (sessionId: string) => addFactor(redis, { sessionId, amr, now: NOW });
    expect(await add(first.session.id)).toBeUndefined();
    await revokeUser(redis, user.userId, because("device_verified"));
    expect(await add(second.session.id)).toBeUndefined();
    expect(await add(newOwnedId(user.userId))).toBeUndefined();
    expect(await check(second.token)).toMatchObject({ code: "session_revoked" });
  });
});

test("records are kept past their end to say so, and are deleted later", async () => {
  const user = newUser();
  const { session } = await loggedIn(user);
  await loggedIn(user, { scope: "mfa_setup", lifetimeMs: 15 * MINUTE_MS });
  for (const key of [`session:${session.id}`, "sessions"]) {
    const stays = await redis.pTTL(`mfa:{${user.userId}}:${key}`);
    expect(stays).toBeGreaterThan(DAY_MS);
    expect(stays).toBeLessThanOrEqual(2 * DAY_MS);
  }
});

describe("the end of a grace period", () => {
  const END = NOW + HOUR_MS / 2;
  const alone = { amr: ["pwd"] };

  test("ends older sessions without a second factor, at that millisecond", async () => {
    const user = newUser();
    const [weak, strong] = [await loggedIn(user, alone), await loggedIn(user)];
    const since = await loggedIn(user, { ...alone, now: END });
    await scheduleEnforcement(redis, user.accountId, {
      version: 1,
      enforceAfter: END,
      enforces: "second_factor",
    });
    expect(await check(weak.token, END - 1)).toMatchObject({ ok: true });
    const over = { ok: false, code: "session_revoked", reason: "policy_required" };
    expect(await check(weak.token, END)).toEqual(over);
    expect(await check(strong.token, END)).toMatchObject({ ok: true });
    expect(await check(since.token, END)).toMatchObject({ ok: true });
    const listed = await listSessions(redis, user, { now: END, idleMs });
    expect(listed.map(({ id }) => id).sort()).toEqual([strong.session.id, since.session.id].sort());
  });

  test("is that of the newest version, in whatever order they arrive", async () => {
    const user = newUser();
    const { token } = await loggedIn(user, alone);
    const schedule = (version: number, enforceAfter: number | null) =>
      scheduleEnforcement(redis, user.accountId, {
        version,
        enforceAfter,
        enforces: "second_factor",
      });
    await schedule(2, null);
    await schedule(1, END);
    expect(await check(token, END)).toMatchObject({ ok: true });
    await schedule(3, END);
    expect(await check(token, END)).toMatchObject({ ok: false });
  });
});
