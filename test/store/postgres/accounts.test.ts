import { describe, expect, test } from "vitest";
import { newId } from "../../../store/ids.ts";
import {
  createAccount,
  findAccountByName,
  getAccount,
  linkAccount,
  listLinkedAccounts,
  setPolicy,
} from "../../../store/postgres/accounts.ts";
import { listEvents } from "../../../store/postgres/events/read-events.ts";
import type { Account } from "../../../store/postgres/schema.ts";
import { otherType } from "../../support/event-types.ts";
import { AT, burst, database, KINDS, newAccount } from "./database.ts";

const eventOf = (account: Account, key = newId()) => ({
  key,
  at: AT,
  accountId: account.id,
  type: otherType("changed"),
});

describe.each(KINDS)("accounts on %s", (kind) => {
  const pools = database(kind);

  test("of many accounts of one name at once, one is created", async () => {
    const name = newId();
    const created = await burst(pools, 10, (db) =>
      createAccount(db, { name, kind: "panel", at: AT }),
    );
    expect(created.filter((account) => account !== "exists")).toHaveLength(1);
    expect(await findAccountByName(pools.db, name)).toMatchObject({
      name,
      requirement: "optional",
    });
    expect(await findAccountByName(pools.db, newId())).toBeUndefined();
  });

  test("of many administrators who saw the same policy, one changes it", async () => {
    const account = await newAccount(pools.db);
    const policy = { accountId: account.id, requirement: "required", version: 0 } as const;
    const outcomes = await burst(pools, 10, (db) =>
      setPolicy(db, { ...policy, enforceAfter: null }, eventOf(account)),
    );
    const changed = outcomes.filter((outcome) => outcome !== "conflict");
    expect(changed).toMatchObject([{ requirement: "required", policyVersion: 1 }]);
    const { events } = await listEvents(pools.db, { accountId: account.id, limit: 10 });
    expect(events).toHaveLength(1);
  });

  test("sending a policy again changes nothing, also after a later policy", async () => {
    const account = await newAccount(pools.db);
    const first = eventOf(account);
    const policy = { accountId: account.id, enforceAfter: null };
    const require = () =>
      setPolicy(pools.db, { ...policy, requirement: "required", version: 0 }, first);
    const required = await require();
    expect(await require()).toEqual(required);
    const next = { ...policy, requirement: "optional", version: 1 } as const;
    const relaxed = await setPolicy(pools.db, next, eventOf(account));
    expect(relaxed).toMatchObject({ requirement: "optional", policyVersion: 2 });
    expect(await require()).toEqual(relaxed);
  });

  test("only a requirement can have a grace period", async () => {
    const account = await newAccount(pools.db);
    const policy = { accountId: account.id, enforceAfter: AT, version: 0 };
    const optional = setPolicy(pools.db, { ...policy, requirement: "optional" }, eventOf(account));
    await expect(optional).rejects.toThrow();
    const required = await setPolicy(
      pools.db,
      { ...policy, requirement: "required" },
      eventOf(account),
    );
    expect(required).toMatchObject({ enforceAfter: AT });
    expect(await getAccount(pools.db, account.id)).toEqual(required);
  });

  test("two accounts are linked once, and none to itself", async () => {
    const [panel, cloud, other] = [
      await newAccount(pools.db),
      await newAccount(pools.db, "cloud"),
      await newAccount(pools.db, "cloud"),
    ];
    const link = { accountId: panel.id, linkedAccountId: cloud.id, linkedBy: newId(), at: AT };
    const linked = await burst(pools, 10, (db) => linkAccount(db, link, eventOf(panel)));
    expect(linked.filter(Boolean)).toHaveLength(1);
    const later = new Date(AT.getTime() + 1);
    const second = { ...link, linkedAccountId: other.id, at: later };
    expect(await linkAccount(pools.db, second, eventOf(panel))).toBe(true);
    expect(await listLinkedAccounts(pools.db, panel.id)).toEqual([cloud, other]);
    expect(await listLinkedAccounts(pools.db, cloud.id)).toEqual([]);
    const self = { ...link, linkedAccountId: panel.id };
    await expect(linkAccount(pools.db, self, eventOf(panel))).rejects.toThrow();
  });
});
