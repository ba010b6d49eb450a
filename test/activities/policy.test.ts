import { expect, test } from "vitest";
import { newId } from "../../store/ids.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import { verifyDevice } from "../../store/postgres/devices.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { readAccountRevocation } from "../../store/redis/sessions/revocations.ts";
import { AT, addedSms, eventOf, newAccount, newUser } from "../store/postgres/database.ts";
import { useActivities } from "./perform.ts";

const { deps, perform } = useActivities();

const origin = { ip: "192.0.2.7", userAgent: "test" };
const required = {
  requirement: "required",
  enforceAfter: null,
  actorId: "administrator",
  origin,
} as const;

/** An account whose policy already has version 1. */
async function requiring() {
  const account = await newAccount(deps.db);
  const rollout = { accountId: account.id, version: 1 };
  expect(await perform("persistPolicy", { ...rollout, ...required })).toBe(true);
  return { account, rollout };
}

const eventsOf = async (accountId: string, type: string) =>
  (await listEvents(deps.db, { accountId, types: [type], limit: 10 })).events;

test("persisting a version again succeeds for the same roll-out, and conflicts for another one", async () => {
  const { id: accountId } = await newAccount(deps.db);
  const change = { accountId, version: 1, ...required };
  const workflowId = newId();
  for (const _ of [1, 2]) expect(await perform("persistPolicy", change, { workflowId })).toBe(true);
  expect(await perform("persistPolicy", change)).toBe(false);
  expect(await getAccount(deps.db, accountId)).toMatchObject({ policyVersion: 1 });
  expect(await eventsOf(accountId, "policy_changed")).toMatchObject([
    { actorId: "administrator", userId: null, workflowId, ...origin },
  ]);
});

test("enforcing again ends no more sessions and is recorded once", async () => {
  const { rollout } = await requiring();
  const workflowId = newId();
  for (const _ of [1, 2])
    expect(await perform("enforcePolicy", rollout, { workflowId })).toEqual({ toGo: 0 });
  expect(await readAccountRevocation(deps.redis, rollout.accountId)).toEqual({
    epoch: 1,
    keyEpoch: 0,
    reason: "policy_required",
  });
  expect(await eventsOf(rollout.accountId, "policy_enforced")).toHaveLength(1);
});

test("sessions end even if the users cannot be counted, and once they can it is recorded", async () => {
  const { rollout } = await requiring();
  const workflowId = newId();
  await deps.db.execute(`alter table devices rename to devices_away`);
  try {
    await expect(perform("enforcePolicy", rollout, { workflowId })).rejects.toThrow();
    expect(await readAccountRevocation(deps.redis, rollout.accountId)).toMatchObject({ epoch: 1 });
    expect(await eventsOf(rollout.accountId, "policy_enforced")).toEqual([]);
  } finally {
    await deps.db.execute(`alter table devices_away rename to devices`);
  }
  expect(await perform("enforcePolicy", rollout, { workflowId })).toEqual({ toGo: 0 });
  expect(await readAccountRevocation(deps.redis, rollout.accountId)).toMatchObject({ epoch: 1 });
  expect(await eventsOf(rollout.accountId, "policy_enforced")).toHaveLength(1);
});

test("a policy that has changed since is neither enforced nor reminded of", async () => {
  const { account, rollout } = await requiring();
  const { accountId } = rollout;
  await newUser(deps.db, account);
  const optional = { ...required, requirement: "optional" } as const;
  await perform("persistPolicy", { accountId, version: 2, ...optional });
  const overtaken = { overtakenBy: "optional" };
  expect(await perform("enforcePolicy", rollout)).toEqual(overtaken);
  expect(await perform("countUsersToGo", rollout)).toEqual(overtaken);
  const requiredFrom = new Date(deps.clock.now()).toISOString();
  await perform("remindUsers", { ...rollout, requiredFrom, daysLeft: 3 });
  expect(await readAccountRevocation(deps.redis, accountId)).toMatchObject({ epoch: 0 });
  expect(await eventsOf(accountId, "multi_factor_reminder")).toEqual([]);
});

test("each user without a verified device gets each reminder once", async () => {
  const { account, rollout } = await requiring();
  const { accountId } = rollout;
  const [none, unverified, configured] = [
    await newUser(deps.db, account),
    await newUser(deps.db, account),
    await newUser(deps.db, account),
  ];
  await addedSms(deps.db, unverified);
  const { id: deviceId } = await addedSms(deps.db, configured);
  const proof = { userId: configured.id, deviceId, at: AT, makeDefault: true };
  await verifyDevice(deps.db, proof, eventOf(configured));
  expect(await perform("countUsersToGo", rollout)).toEqual({ toGo: 2 });

  const workflowId = newId();
  const requiredFrom = new Date(deps.clock.now()).toISOString();
  for (const daysLeft of [3, 3, 1])
    await perform("remindUsers", { ...rollout, requiredFrom, daysLeft }, { workflowId });
  const reminders = await eventsOf(accountId, "multi_factor_reminder");
  expect(reminders.map(({ userId }) => userId).sort()).toEqual(
    [none.id, none.id, unverified.id, unverified.id].sort(),
  );
  for (const reminder of reminders)
    expect(reminder).toMatchObject({ workflowId, actorId: null, detail: { requiredFrom } });
});
