import { and, asc, count, eq, inArray, isNull, notLike, sql } from "drizzle-orm";
import type { Db } from "../connect.ts";
import { findEvent, type NewEvent, recordEvent } from "../events/events.ts";
import { holdingAccount } from "../holding-account.ts";
import { type Webhook, webhooks } from "../schema.ts";

/** Adds a webhook, unless the account already has `max`. Locks the account's row for the count. */
export async function addWebhook(
  db: Db,
  webhook: Omit<Webhook, "disabledFor">,
  max: number,
  event: NewEvent,
): Promise<Webhook | "too_many"> {
  const { accountId } = webhook;
  return holdingAccount(db, accountId, "update", async (tx) => {
    const ofAccount = eq(webhooks.accountId, accountId);
    const [had] = await tx.select({ count: count() }).from(webhooks).where(ofAccount);
    if ((had?.count ?? 0) >= max) return "too_many";
    const [added] = await tx.insert(webhooks).values(webhook).returning();
    await recordEvent(tx, withHost(event, webhook));
    return added as Webhook;
  });
}

/** An account's webhooks, the oldest first. */
export function listWebhooks(db: Db, accountId: string): Promise<Webhook[]> {
  return db
    .select()
    .from(webhooks)
    .where(eq(webhooks.accountId, accountId))
    .orderBy(asc(webhooks.createdAt), asc(webhooks.id));
}

/** The enabled webhooks of these accounts. */
export function listEnabledWebhooks(db: Db, accountIds: readonly string[]): Promise<Webhook[]> {
  return db
    .select()
    .from(webhooks)
    .where(and(inArray(webhooks.accountId, [...accountIds]), isNull(webhooks.disabledFor)));
}

/** One of an account's webhooks. */
export async function getWebhook(
  db: Db,
  accountId: string,
  webhookId: string,
): Promise<Webhook | undefined> {
  const [webhook] = await db.select().from(webhooks).where(isWebhook(accountId, webhookId));
  return webhook;
}

/** Removes one of an account's webhooks with all its deliveries; false when there is none. */
export async function removeWebhook(
  db: Db,
  { accountId, webhookId }: { accountId: string; webhookId: string },
  event: NewEvent,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [removed] = await tx
      .delete(webhooks)
      .where(isWebhook(accountId, webhookId))
      .returning({ url: webhooks.url });
    return !!removed && recordEvent(tx, withHost(event, removed));
  });
}

/**
 * Disables a webhook for a reason, or enables it (null). False if nothing changed or the same event
 * was recorded before.
 */
export async function setWebhookDisabled(
  db: Db,
  { accountId, webhookId, reason }: { accountId: string; webhookId: string; reason: string | null },
  event: NewEvent,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    // A late retry must not repeat a change that was undone since.
    if (await findEvent(tx, event.key)) return false;
    const differs = sql`(${webhooks.disabledFor} is null) <> ${reason === null}`;
    const [changed] = await tx
      .update(webhooks)
      .set({ disabledFor: reason })
      .where(and(isWebhook(accountId, webhookId), differs))
      .returning({ url: webhooks.url });
    return !!changed && recordEvent(tx, withHost(event, changed));
  });
}

/**
 * Secrets that are sealed with another key than this one. Once all are re-sealed, none are left.
 */
export function listWebhookSecretsNotSealedWith(
  db: Db,
  keyId: string,
  limit: number,
): Promise<{ id: string; secret: string }[]> {
  return db
    .select({ id: webhooks.id, secret: webhooks.secret })
    .from(webhooks)
    .where(notLike(webhooks.secret, `v1.${keyId}.%`))
    .limit(limit);
}

/** Replaces a sealed secret unless somebody else has changed it in the meantime. */
export async function updateWebhookSecret(
  db: Db,
  { id, from, to }: { id: string; from: string; to: string },
): Promise<boolean> {
  const updated = await db
    .update(webhooks)
    .set({ secret: to })
    .where(and(eq(webhooks.id, id), eq(webhooks.secret, from)))
    .returning({ id: webhooks.id });
  return updated.length > 0;
}

/**
 * Adds the webhook's host to the event, so that people recognise the webhook. The rest of its URL
 * may be secret.
 */
const withHost = (event: NewEvent, { url }: Pick<Webhook, "url">): NewEvent => ({
  ...event,
  detail: { ...event.detail, host: new URL(url).host },
});

const isWebhook = (accountId: string, webhookId: string) =>
  and(eq(webhooks.accountId, accountId), eq(webhooks.id, webhookId));
