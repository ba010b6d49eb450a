import type { ClientInfo } from "../../machines/methods.ts";
import { bareHost, isInside, isName } from "../../providers/webhook/public-addresses.ts";
import { newWebhookSecret } from "../../providers/webhook/webhook.ts";
import { isId, newId } from "../../store/ids.ts";
import type { Webhook } from "../../store/postgres/schema.ts";
import {
  addWebhook,
  getWebhook,
  listWebhooks,
  removeWebhook,
  setWebhookDisabled,
} from "../../store/postgres/webhooks/webhooks.ts";
import { keys } from "../../store/redis/keys.ts";
import type { Session } from "../../store/redis/sessions/session-records.ts";
import { seal } from "../../store/sealing.ts";
import { DAY_MS } from "../../units.ts";
import { asAdministrator } from "../account/as-administrator.ts";
import { accountEvent } from "../audit.ts";
import type { CoreDeps } from "../deps.ts";
import { payIfDone, type Spent, spendAll } from "../limits/spend-all.ts";
import { isUndone } from "../outages.ts";
import { Problem } from "../problem.ts";
import { requireRecentLogin } from "../sessions/recent-login.ts";

/** A webhook as its account's administrators see it. */
export type WebhookView = {
  id: string;
  url: string;
  types: string[] | null;
  state: "enabled" | "disabled";
  disabledFor: string | null;
  createdBy: string;
  createdAt: string;
};

/** The webhooks of the administrator's account, the oldest first. */
export async function accountWebhooks(
  { db }: Pick<CoreDeps, "db">,
  { accountId }: Pick<Session, "accountId">,
): Promise<WebhookView[]> {
  return (await listWebhooks(db, accountId)).map(describeWebhook);
}

/** One webhook of the administrator's account. Throws `webhook_not_found`. */
export async function accountWebhook(
  { db }: Pick<CoreDeps, "db">,
  { accountId }: Pick<Session, "accountId">,
  id: string,
): Promise<WebhookView> {
  const webhook = isId(id) ? await getWebhook(db, accountId, id) : undefined;
  if (!webhook) throw unknownWebhook();
  return describeWebhook(webhook);
}

/**
 * A new webhook with its secret, which is shown only once. Throws `invalid_webhook_url`,
 * `too_many_webhooks`, `reauthentication_required`, `too_many_requests`.
 */
export async function makeWebhook(
  deps: CoreDeps,
  session: Session,
  { url, types }: { url: string; types: string[] | null },
  origin: ClientInfo,
): Promise<{ webhook: WebhookView; secret: string }> {
  await requireRecentLogin(deps, session);
  const target = wellFormed(url, deps.config);
  const spent = await spendWebhookChange(deps, session);
  const { accountId, userId: createdBy } = session;
  const { perAccount } = deps.config.limits.webhooks;
  const id = newId();
  const secret = newWebhookSecret();
  const event = accountEvent(deps, session, "webhook_added", origin, { webhookId: id });
  const webhook = {
    id,
    accountId,
    url: target.href,
    secret: seal(deps.config.SEALING_KEYS, secret, id),
    types,
    createdBy,
    createdAt: new Date(deps.clock.now()),
  };
  try {
    await requireOutside(target, deps);
    const made = await asAdministrator(deps, session, "update", (tx) =>
      addWebhook(tx, webhook, perAccount, event),
    );
    if (made === "too_many")
      throw new Problem(
        "too_many_webhooks",
        `You have ${perAccount} webhooks, the maximum. Remove one to add another.`,
      );
    return { webhook: describeWebhook(made), secret };
  } catch (error) {
    // If DNS was asked for the name, it stays paid for: the look-up is what it costs.
    if (isUndone(error) && !isLookedUp(target, deps.config)) await spent.giveBack();
    throw error;
  }
}

/** Removes a webhook and its deliveries. Throws `webhook_not_found`, `reauthentication_required`. */
export async function deleteWebhook(
  deps: CoreDeps,
  session: Session,
  id: string,
  origin: ClientInfo,
): Promise<void> {
  await requireRecentLogin(deps, session);
  const { accountId } = session;
  await accountWebhook(deps, session, id);
  const event = accountEvent(deps, session, "webhook_removed", origin, { webhookId: id });
  const removed = await asAdministrator(deps, session, "key share", (tx) =>
    removeWebhook(tx, { accountId, webhookId: id }, event),
  );
  if (!removed) throw unknownWebhook();
}

/**
 * Enables a disabled webhook, which gets events again from now on. Throws `webhook_not_found`,
 * `reauthentication_required`, `too_many_requests`.
 */
export async function enableWebhook(
  deps: CoreDeps,
  session: Session,
  id: string,
  origin: ClientInfo,
): Promise<WebhookView> {
  await requireRecentLogin(deps, session);
  const { accountId } = session;
  await accountWebhook(deps, session, id);
  const spent = await spendWebhookChange(deps, session);
  const event = accountEvent(deps, session, "webhook_enabled", origin, { webhookId: id });
  await payIfDone(spent, () =>
    asAdministrator(deps, session, "key share", (tx) =>
      setWebhookDisabled(tx, { accountId, webhookId: id, reason: null }, event),
    ),
  );
  return accountWebhook(deps, session, id);
}

/**
 * Adding or enabling a webhook writes events, starts deliveries, and may look up a name. Removing
 * one is free, because adding it was paid for.
 */
function spendWebhookChange(
  { redis, clock, config }: CoreDeps,
  { accountId }: Session,
): Promise<Spent> {
  const rules = [{ limit: config.limits.webhooks.changesPerDay, windowMs: DAY_MS }];
  return spendAll(redis, clock.now(), [{ key: keys.webhookChanges(accountId), rules }], {
    code: "too_many_requests",
    detail: "Your account's webhooks were changed too often today.",
  });
}

/** The URL, if its form is allowed for a webhook. Throws `invalid_webhook_url`. */
function wellFormed(url: string, { WEBHOOKS_INSIDE: inside }: CoreDeps["config"]): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (!target || !(target.protocol === "https:" || (inside && target.protocol === "http:")))
    throw invalidUrl("The URL must begin with https://.");
  if (target.username || target.password || target.hash)
    throw invalidUrl("The URL cannot have a user name, a password or a fragment.");
  return target;
}

/**
 * Throws `invalid_webhook_url` for a host that is not public. Each connection checks this again,
 * because DNS may change.
 */
async function requireOutside(
  target: URL,
  { config, resolve }: Pick<CoreDeps, "config" | "resolve">,
) {
  if (!config.WEBHOOKS_INSIDE && (await isInside(bareHost(target), resolve)))
    throw invalidUrl("The URL must lead to an address on the public internet.");
}

/** Whether DNS is asked for the URL's host. */
const isLookedUp = (target: URL, { WEBHOOKS_INSIDE }: CoreDeps["config"]) =>
  !WEBHOOKS_INSIDE && isName(bareHost(target));

const invalidUrl = (message: string) =>
  new Problem("invalid_webhook_url", message, { errors: [{ path: "url", message }] });

const unknownWebhook = () =>
  new Problem("webhook_not_found", "Your account has no webhook with this ID.");

function describeWebhook(webhook: Webhook): WebhookView {
  const { id, url, types, disabledFor, createdBy, createdAt } = webhook;
  return {
    id,
    url,
    types,
    state: disabledFor === null ? "enabled" : "disabled",
    disabledFor,
    createdBy,
    createdAt: createdAt.toISOString(),
  };
}
