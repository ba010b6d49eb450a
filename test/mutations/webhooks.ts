import type { Mutation } from "./mutation.ts";

/** The rules of webhooks. */
export const webhooksMutations: Mutation[] = [
  {
    mistake: "webhooks can be added and removed without limit",
    file: "core/webhooks/webhooks.ts",
    find: "  const spent = await spendWebhookChange(deps, session);\n  const { accountId, userId: createdBy }",
    replace:
      "  const spent = { giveBack: async () => {} };\n  const { accountId, userId: createdBy }",
    noticedBy: ["test/attacks/changes-of-a-day.test.ts"],
  },
  {
    mistake: "a mistyped URL or a full list costs a change of webhooks",
    file: "core/webhooks/webhooks.ts",
    find: "    if (isUndone(error) && !isLookedUp(target, deps.config)) await spent.giveBack();\n",
    replace: "",
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
  {
    mistake: "inside names can be looked up without limit",
    file: "core/webhooks/webhooks.ts",
    find: "    if (isUndone(error) && !isLookedUp(target, deps.config)) await spent.giveBack();\n",
    replace: "    await spent.giveBack();\n",
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
  {
    mistake: "events are sent to private addresses",
    file: "providers/webhook/public-addresses.ts",
    find: 'if (address.range() !== "unicast") return false;',
    replace: 'if (!["unicast", "private"].includes(address.range())) return false;',
    noticedBy: ["test/providers/public-addresses.test.ts"],
  },
  {
    mistake: "events are sent to the metadata service of a cloud",
    file: "providers/webhook/public-addresses.ts",
    find: 'if (address.range() !== "unicast") return false;',
    replace: 'if (!["unicast", "linkLocal"].includes(address.range())) return false;',
    noticedBy: ["test/providers/public-addresses.test.ts"],
  },
  {
    mistake: "a webhook may connect to an inside address in its URL",
    file: "providers/webhook/webhook.ts",
    find: "if (!inside && isIP(host) && !isPublicAddress(host)) throw blocked();",
    replace: "",
    noticedBy: ["test/providers/webhook.test.ts"],
  },
  {
    mistake: "a name's addresses are not checked when the connection is made",
    file: "providers/webhook/webhook.ts",
    find: "          ...(!inside && { lookup: lookupPublic(resolve) }),\n",
    replace: "",
    noticedBy: ["test/providers/public-addresses.test.ts"],
  },
  {
    mistake: "an event of another account is sent",
    file: "activities/webhooks.ts",
    find: "const own = event?.accountId === accountId ? [event] : [];",
    replace: "const own = event ? [event] : [];",
    noticedBy: ["test/workflows/webhook-delivery.test.ts"],
  },
  {
    mistake: "a disabled webhook gets events",
    file: "activities/webhooks.ts",
    find: "if (!webhook || webhook.disabledFor !== null || !event || !shown)",
    replace: "if (!webhook || !event || !shown)",
    noticedBy: ["test/workflows/webhook-delivery.test.ts"],
  },
  {
    mistake: "a webhook's URL may hold a password",
    file: "core/webhooks/webhooks.ts",
    find: "if (target.username || target.password || target.hash)",
    replace: "if (target.hash)",
    noticedBy: ["test/e2e/webhooks.test.ts"],
  },
  {
    mistake: "another account's administrator reads a webhook",
    file: "store/postgres/webhooks/webhooks.ts",
    find: "await db.select().from(webhooks).where(isWebhook(accountId, webhookId));",
    replace: "await db.select().from(webhooks).where(eq(webhooks.id, webhookId));",
    noticedBy: ["test/store/postgres/webhooks.test.ts", "test/e2e/webhooks.test.ts"],
  },
];
