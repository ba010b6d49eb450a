import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { verifyDevice } from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import { getMfaProfile } from "../../../store/postgres/profiles.ts";
import { countUsers, listUsers, searchUsers } from "../../../store/postgres/user-lists.ts";
import {
  createUser,
  findUserByUsername,
  getUser,
  lockUser,
  recordLoginEvent,
  setDefaultMethod,
  setRequirement,
  setRole,
  unlockUser,
} from "../../../store/postgres/users.ts";
import {
  AT,
  addedOtp,
  addedSms,
  burst,
  database,
  eventOf,
  KINDS,
  newAccount,
  newUser,
} from "./database.ts";

describe.each(KINDS)("users on %s", (kind) => {
  const pools = database(kind);

  test("of many at once one gets a user name, however it is written", async () => {
    const { id: accountId } = await newAccount(pools.db);
    const { id: otherAccountId } = await newAccount(pools.db);
    const name = newId();
    const spellings = [name, name.toUpperCase(), ` ${name} `, name.replace(/^./, fullWidth)];
    const created = await burst(pools, 16, (db, index) =>
      createUser(db, {
        accountId: index % 3 ? accountId : otherAccountId,
        username: spellings[index % spellings.length] as string,
        passwordHash: "hash",
        role: "member",
        at: AT,
      }),
    );
    expect(created.filter((user) => user !== "exists")).toHaveLength(1);
    for (const spelling of spellings) {
      expect(await findUserByUsername(pools.db, spelling)).toMatchObject({ username: name });
    }
  });

  test("only the login gets the password's hash", async () => {
    const user = await newUser(pools.db);
    expect(await findUserByUsername(pools.db, user.username)).toMatchObject({
      passwordHash: "hash",
    });
    const elsewhere = [
      user,
      await getUser(pools.db, user.id),
      await getMfaProfile(pools.db, user.id),
      await listUsers(pools.db, { accountId: user.accountId, limit: 10 }),
      await searchUsers(pools.db, user.username, 10),
    ];
    expect(JSON.stringify(elsewhere)).not.toContain("hash");
  });

  test("a lock is set once and ended once, each with one event", async () => {
    const user = await newUser(pools.db);
    const lock = { userId: user.id, at: AT };
    const locked = await burst(pools, 8, (db) => lockUser(db, lock, eventOf(user, "locked")));
    expect(locked.filter(Boolean)).toHaveLength(1);
    expect(await getUser(pools.db, user.id)).toMatchObject({ lockedAt: AT });
    const unlocked = await burst(pools, 8, (db) =>
      unlockUser(db, user.id, eventOf(user, "unlocked")),
    );
    expect(unlocked.filter(Boolean)).toHaveLength(1);
    expect(await getUser(pools.db, user.id)).toMatchObject({ lockedAt: null });
    const { events } = await listEvents(pools.db, { userId: user.id, limit: 100 });
    expect(events.map(({ type }) => type)).toEqual(["unlocked", "locked"]);
  });

  test("a lock that is reported again after Support ended it stays ended", async () => {
    const user = await newUser(pools.db);
    const lock = { userId: user.id, at: AT };
    const event = eventOf(user, "locked");
    expect(await lockUser(pools.db, lock, event)).toBe(true);
    expect(await unlockUser(pools.db, user.id, eventOf(user, "unlocked"))).toBe(true);
    expect(await lockUser(pools.db, lock, event)).toBe(false);
    expect(await getUser(pools.db, user.id)).toMatchObject({ lockedAt: null });
  });

  test("role, default method and last login change; setting the same value is no change", async () => {
    const user = await newUser(pools.db);
    const change = { userId: user.id, role: "administrator", method: "otp" } as const;
    expect(await setRole(pools.db, change, eventOf(user))).toBe(true);
    expect(await setRole(pools.db, change, eventOf(user))).toBe(false);
    expect(await setDefaultMethod(pools.db, change, eventOf(user))).toBe(true);
    expect(await setDefaultMethod(pools.db, change, eventOf(user))).toBe(false);
    expect(await setRole(pools.db, { ...change, userId: newId() }, eventOf(user))).toBe(false);
    await recordLoginEvent(pools.db, eventOf(user));
    expect(await getUser(pools.db, user.id)).toEqual({
      ...user,
      role: "administrator",
      defaultMethod: "otp",
      lastLoginAt: AT,
    });
  });

  test("a login that is reported twice is recorded once, with all details", async () => {
    const user = await newUser(pools.db);
    const login = { ...eventOf(user), ip: "203.0.113.9", detail: { factor: "otp" } };
    expect(await recordLoginEvent(pools.db, login)).toEqual({ ...user, lastLoginAt: AT });
    expect(await recordLoginEvent(pools.db, login)).toEqual({ ...user, lastLoginAt: AT });
    const { events } = await listEvents(pools.db, { userId: user.id, limit: 10 });
    expect(events).toEqual([
      { ...login, id: expect.any(Number), actorId: null, userAgent: null, workflowId: null },
    ]);
  });

  test("the profile holds the user, the account and the devices, and nobody else's", async () => {
    const account = await newAccount(pools.db);
    const user = await newUser(pools.db, account);
    await addedSms(pools.db, await newUser(pools.db, account));
    expect(await getMfaProfile(pools.db, user.id)).toEqual({
      user,
      account,
      devices: [],
      keys: [],
    });
    const phone = await addedSms(pools.db, user);
    const app = await addedOtp(pools.db, user);
    const profile = await getMfaProfile(pools.db, user.id);
    expect(profile?.devices.map(({ id }) => id).sort()).toEqual([phone.id, app.id].sort());
    expect(await getMfaProfile(pools.db, newId())).toBeUndefined();
  });

  test("pages through an account's users with their usable methods", async () => {
    const account = await newAccount(pools.db);
    await newUser(pools.db);
    const users = [];
    for (let index = 0; index < 7; index++) users.push(await newUser(pools.db, account));
    const [configured, unfinished] = users;
    if (!configured || !unfinished) throw new Error("no users");
    for (const device of [
      await addedSms(pools.db, configured),
      await addedOtp(pools.db, configured),
      await addedOtp(pools.db, configured),
    ]) {
      const verification = {
        userId: configured.id,
        deviceId: device.id,
        at: AT,
        makeDefault: true,
      };
      await verifyDevice(pools.db, verification, eventOf(configured));
    }
    await addedOtp(pools.db, unfinished);

    const seen = [];
    let after: string | undefined;
    do {
      const page = await listUsers(pools.db, { accountId: account.id, after, limit: 3 });
      expect(page.users.length).toBeLessThanOrEqual(3);
      seen.push(...page.users);
      after = page.next;
    } while (after);
    expect(seen.map(({ user }) => user.username)).toEqual(
      users.map(({ username }) => username).sort(),
    );
    const methods = new Map(seen.map(({ user, methods }) => [user.id, methods]));
    expect(methods.get(configured.id)).toEqual(["otp", "sms"]);
    expect(methods.get(unfinished.id)).toEqual([]);
    const counted = { total: 7, configured: 1, toGo: 6, withoutDevice: 6, withoutKey: 7 };
    expect(await countUsers(pools.db, account)).toEqual(counted);
    for (const { id: userId, accountId } of [configured, unfinished]) {
      const event = eventOf({ id: userId, accountId });
      await setRequirement(pools.db, { userId, requirement: "optional" }, event);
    }
    // Exempt users have nothing to set up.
    const left = { ...counted, toGo: 5, withoutDevice: 5, withoutKey: 5 };
    expect(await countUsers(pools.db, account)).toEqual(left);
    const keys = { ...account, requirement: "phishing_resistant" } as const;
    expect(await countUsers(pools.db, keys)).toEqual({ ...left, configured: 0, toGo: 5 });
    const query = { accountId: account.id, limit: 10, only: "unconfigured" as const };
    const toGo = await listUsers(pools.db, query);
    expect(toGo.users).toHaveLength(6);
    expect(toGo.users.map(({ user }) => user.id)).not.toContain(configured.id);
  });

  test("finds users by the start of their name; wildcards are ordinary characters", async () => {
    const user = await newUser(pools.db);
    const start = user.username.slice(0, 12);
    expect(await searchUsers(pools.db, start.toUpperCase(), 10)).toEqual([user]);
    for (const text of ["%", "_", "\\", `${start}%`, `_${start.slice(1)}`]) {
      expect(await searchUsers(pools.db, text, 10)).toEqual([]);
    }
    expect(await searchUsers(pools.db, "", 1)).toHaveLength(1);
  });
});

const fullWidth = (letter: string) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0);
