import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import { changeRole, remindUsers } from "../../../store/postgres/accounts.ts";
import { verifyDevice } from "../../../store/postgres/devices.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import type { Account } from "../../../store/postgres/schema.ts";
import { listUsers } from "../../../store/postgres/user-lists.ts";
import { setRequirement } from "../../../store/postgres/users.ts";
import { AT, addedOtp, burst, database, eventOf, KINDS, newAccount, newUser } from "./database.ts";

describe.each(KINDS)("users of an account on %s", (kind) => {
  const pools = database(kind);

  const reminder = ({ id: accountId }: Account) => ({
    key: newId(),
    at: AT,
    accountId,
    type: "multi_factor_reminder" as const,
    workflowId: "policy-rollout/x/1",
    detail: { requiredFrom: "2026-02-01" },
  });

  const remindersOf = async ({ id: accountId }: Account) =>
    (await listEvents(pools.db, { accountId, types: ["multi_factor_reminder"], limit: 50 })).events;

  test("a user without a verified device is reminded once, however often the reminder runs", async () => {
    const account = await newAccount(pools.db);
    const users = await Promise.all([1, 2, 3].map(() => newUser(pools.db, account)));
    const [configured, unverified] = users as [(typeof users)[0], (typeof users)[0]];
    await newUser(pools.db);
    const exempt = await newUser(pools.db, account);
    const exemption = { userId: exempt.id, requirement: "optional" } as const;
    await setRequirement(pools.db, exemption, eventOf(exempt));
    await addedOtp(pools.db, unverified);
    const { id: deviceId } = await addedOtp(pools.db, configured);
    const proof = { userId: configured.id, deviceId, at: AT, makeDefault: true };
    await verifyDevice(pools.db, proof, eventOf(configured));
    const event = reminder(account);
    await burst(pools, 8, (db) => remindUsers(db, event, { limit: 50 }));
    const reminders = await remindersOf(account);
    const others = users.filter(({ id }) => id !== configured.id);
    expect(reminders.map(({ userId }) => userId).sort()).toEqual(others.map(({ id }) => id).sort());
    const { key: _, ...fields } = event;
    for (const one of reminders) expect(one).toMatchObject({ ...fields, actorId: null, at: AT });
  });

  test("if all administrators resign at once, one stays", async () => {
    const account = await newAccount(pools.db);
    const users = await Promise.all([1, 2, 3, 4].map(() => newUser(pools.db, account)));
    const { id: accountId } = account;
    for (const user of users) {
      const change = { accountId, userId: user.id, role: "administrator" } as const;
      expect(await changeRole(pools.db, change, eventOf(user))).toBe("changed");
      expect(await changeRole(pools.db, change, eventOf(user))).toBe("unchanged");
    }
    const outcomes = await burst(pools, users.length, (db, index) => {
      const user = users[index] as (typeof users)[0];
      return changeRole(db, { accountId, userId: user.id, role: "member" }, eventOf(user));
    });
    expect(outcomes.sort()).toEqual(["changed", "changed", "changed", "last_administrator"]);
    const listed = (await listUsers(pools.db, { accountId, limit: 10 })).users;
    expect(listed.filter(({ user }) => user.role === "administrator")).toHaveLength(1);
  });

  test("a user of another account is unknown", async () => {
    const { id: accountId } = await newAccount(pools.db);
    const stranger = await newUser(pools.db);
    const change = { accountId, userId: stranger.id, role: "administrator" } as const;
    expect(await changeRole(pools.db, change, eventOf(stranger))).toBe("unknown_user");
  });
});
