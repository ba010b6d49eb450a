import { and, asc, count, eq, gt, inArray, isNotNull, ne, notExists, sql } from "drizzle-orm";
import { newId } from "../ids.ts";
import { configuredMethods, type Method } from "../methods.ts";
import type { Db } from "./connect.ts";
import { findEvent, type NewEvent, recordEvent, recordEvents } from "./events/events.ts";
import { holdingAccount } from "./holding-account.ts";
import {
  type Account,
  accountLinks,
  accounts,
  devices,
  type Requirement,
  type Role,
  type User,
  users,
} from "./schema.ts";
import { setRole, userColumns } from "./users.ts";

/** Creates an account in which multi-factor authentication is optional. */
export async function createAccount(
  db: Db,
  account: { name: string; kind: Account["kind"]; at: Date },
): Promise<Account | "exists"> {
  const { at: createdAt, name, kind } = account;
  const [created] = await db
    .insert(accounts)
    .values({ id: newId(), name, kind, createdAt })
    .onConflictDoNothing({ target: accounts.name })
    .returning();
  return created ?? "exists";
}

export async function getAccount(db: Db, accountId: string): Promise<Account | undefined> {
  const [account] = await db.select().from(accounts).where(eq(accounts.id, accountId));
  return account;
}

export async function findAccountByName(db: Db, name: string): Promise<Account | undefined> {
  const [account] = await db.select().from(accounts).where(eq(accounts.name, name));
  return account;
}

/** Every account, sorted by name. */
export function listAccounts(db: Db): Promise<Account[]> {
  return db.select().from(accounts).orderBy(accounts.name);
}

const PAGE = 500;

/** Every account whose requirement has, or had, a grace period; page by page. */
export async function* accountsWithGrace(db: Db): AsyncGenerator<Account[]> {
  let after = "";
  for (;;) {
    const page = await db
      .select()
      .from(accounts)
      .where(and(isNotNull(accounts.enforceAfter), gt(accounts.id, after)))
      .orderBy(asc(accounts.id))
      .limit(PAGE);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id ?? after;
  }
}

/**
 * Sets the requirement if the policy still has the version that the caller has read; answers
 * "conflict" if somebody else changed it first. Recording the same event again answers the same as
 * before. To or from a requirement of a key, a grace period takes nothing away: a second factor stays
 * required if it is required at the time of the event.
 */
export async function setPolicy(
  db: Db,
  policy: {
    accountId: string;
    requirement: Requirement;
    enforceAfter: Date | null;
    version: number;
  },
  event: NewEvent,
): Promise<Account | "conflict"> {
  const { accountId, requirement, enforceAfter, version } = policy;
  return db.transaction(async (tx) => {
    const [changed] = await tx
      .update(accounts)
      .set({
        requirement,
        enforceAfter,
        requiredMeanwhile: enforceAfter ? staysRequired(requirement, event.at) : false,
        policyVersion: version + 1,
      })
      .where(and(eq(accounts.id, accountId), eq(accounts.policyVersion, version)))
      .returning();
    if (changed) {
      await recordEvent(tx, event);
      return changed;
    }
    const recorded = await findEvent(tx, event.key);
    return (recorded && (await getAccount(tx, accountId))) ?? "conflict";
  });
}

/** In an update of an account's policy: whether a second factor is required now and stays so. */
const staysRequired = (next: Requirement, at: Date) => sql<boolean>`
  'phishing_resistant' in (${next}, ${accounts.requirement})
    and ${accounts.requirement} <> 'optional'
    and (${accounts.requiredMeanwhile} or coalesce(${accounts.enforceAfter} <= ${at.toISOString()}::timestamptz, true))`;

/** Turns a setting of the account on or off; false if nothing changed. */
export async function setAccountSetting(
  db: Db,
  {
    accountId,
    setting,
    on,
  }: {
    accountId: string;
    setting: "apiKeysBypassMfa" | "enablingIsOwnCall" | "passkeyLogin";
    on: boolean;
  },
  event: NewEvent,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const changed = await tx
      .update(accounts)
      .set({ [setting]: on })
      .where(and(eq(accounts.id, accountId), ne(accounts[setting], on)))
      .returning({ id: accounts.id });
    return changed.length > 0 && recordEvent(tx, event);
  });
}

/**
 * Records the event for each user without a verified device, or without a verified device of the
 * method `without`, and without an exemption, among the account's next `limit` users. The user's ID
 * is part of the key, so a repeat reminds nobody twice. Answers the cursor of the next batch, or
 * undefined after the last one.
 */
export async function remindUsers(
  db: Db,
  { key, at, accountId, type, workflowId, detail }: NewEvent,
  { after = "", limit, without }: { after?: string; limit: number; without?: Method },
): Promise<string | undefined> {
  const batch = await db
    .select({ username: users.username })
    .from(users)
    .where(and(eq(users.accountId, accountId), gt(users.username, after)))
    .orderBy(asc(users.username))
    .limit(limit);
  const last = batch.at(-1)?.username;
  if (last === undefined) return undefined;
  const verified = db
    .select({ id: devices.id })
    .from(devices)
    .where(
      and(
        eq(devices.userId, users.id),
        isNotNull(devices.verifiedAt),
        without && eq(devices.type, without),
      ),
    );
  const facts = sql`
    select ${key} || '/' || ${users.id} as key, ${at.toISOString()}::timestamptz as at,
      ${users.accountId}, ${users.id} as user_id, ${type} as type,
      ${workflowId ?? null} as workflow_id, ${JSON.stringify(detail)}::jsonb as detail
    from ${users}
    where ${users.accountId} = ${accountId}
      and ${users.username} > ${after} and ${users.username} <= ${last}
      and ${notExists(verified)} and ${users.requirement} is distinct from 'optional'`;
  await recordEvents(db, facts);
  return batch.length < limit ? undefined : last;
}

/**
 * Changes the role of a user of the account, or answers why not. The account's row is locked, so
 * that two administrators who demote each other at once cannot both succeed.
 */
export async function changeRole(
  db: Db,
  { accountId, userId, role }: { accountId: string; userId: string; role: Role },
  event: NewEvent,
): Promise<"changed" | "unchanged" | "unknown_user" | "support" | "last_administrator"> {
  return holdingAccount(db, accountId, "update", async (tx) => {
    const ofAccount = eq(users.accountId, accountId);
    const [user] = await tx
      .select({ role: users.role })
      .from(users)
      .where(and(ofAccount, eq(users.id, userId)));
    if (!user) return "unknown_user";
    if (user.role === "support") return "support";
    if (user.role === "administrator" && role !== "administrator") {
      const isAdministrator = and(ofAccount, eq(users.role, "administrator"));
      const [left] = await tx.select({ count: count() }).from(users).where(isAdministrator);
      if (left?.count === 1) return "last_administrator";
    }
    return (await setRole(tx, { userId, role }, event)) ? "changed" : "unchanged";
  });
}

/** An account and its administrators, each with the methods of their verified devices. */
export type HeldAccount = { account: Account; administrators: { user: User; methods: Method[] }[] };

/**
 * Locks the rows of the account and of its administrators. Until the transaction ends, the
 * account's policy, its administrators and their verified devices stay unchanged. Undefined if
 * there is no such account.
 */
export async function holdAccount(tx: Db, accountId: string): Promise<HeldAccount | undefined> {
  const [account] = await tx
    .select()
    .from(accounts)
    .where(eq(accounts.id, accountId))
    // Two accounts may link each other at once: a link needs only the key of each row.
    .for("no key update");
  const held = await tx
    .select(userColumns)
    .from(users)
    .where(and(eq(users.accountId, accountId), eq(users.role, "administrator")))
    .orderBy(users.id)
    .for("update");
  const ids = held.map(({ id }) => id);
  const theirs = await tx.select().from(devices).where(inArray(devices.userId, ids));
  const administrators = held.map((user) => ({
    user,
    methods: configuredMethods(theirs.filter(({ userId }) => userId === user.id)),
  }));
  return account && { account, administrators };
}

/** Links another account to this one; false if they are already linked. */
export async function linkAccount(
  db: Db,
  link: { accountId: string; linkedAccountId: string; linkedBy: string; at: Date },
  event: NewEvent,
): Promise<boolean> {
  const { at: createdAt, ...ends } = link;
  return db.transaction(async (tx) => {
    const added = await tx
      .insert(accountLinks)
      .values({ ...ends, createdAt })
      .onConflictDoNothing()
      .returning({ accountId: accountLinks.accountId });
    return added.length > 0 && recordEvent(tx, event);
  });
}

/** The accounts linked to this one, the first linked first. */
export async function listLinkedAccounts(db: Db, accountId: string): Promise<Account[]> {
  const rows = await db
    .select({ account: accounts })
    .from(accountLinks)
    .innerJoin(accounts, eq(accounts.id, accountLinks.linkedAccountId))
    .where(eq(accountLinks.accountId, accountId))
    .orderBy(accountLinks.createdAt);
  return rows.map(({ account }) => account);
}

/** The accounts that have linked this one, the first link first. */
export async function listLinkingAccounts(db: Db, linkedAccountId: string): Promise<Account[]> {
  const rows = await db
    .select({ account: accounts })
    .from(accountLinks)
    .innerJoin(accounts, eq(accounts.id, accountLinks.accountId))
    .where(eq(accountLinks.linkedAccountId, linkedAccountId))
    .orderBy(accountLinks.createdAt);
  return rows.map(({ account }) => account);
}
