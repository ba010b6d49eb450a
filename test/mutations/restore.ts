import type { Mutation } from "./mutation.ts";

/** The rules for a store that comes back empty or older, and for keys that are replaced. */
export const restoreMutations: Mutation[] = [
  {
    mistake: "a notice is sent about the event that has the number of a lost one",
    file: "activities/notify.ts",
    find: "found && isMeant(found, ref) ? found : undefined",
    replace: "found",
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "a delivery sends the event that has the number of a lost one",
    file: "activities/webhooks.ts",
    find: "if (event && isMeant(event, ref)) return event;",
    replace: "if (event) return event;",
    noticedBy: ["test/temporal/relay.test.ts"],
  },
  {
    mistake: "deliveries are named by numbers, which come again",
    file: "temporal/webhook-follow-ups.ts",
    find: "workflowIds.webhookDelivery(webhookId, ref)",
    replace: "workflowIds.webhookDelivery(webhookId, String(eventId))",
    noticedBy: ["test/temporal/relay.test.ts"],
  },
  {
    mistake: "a session of a former generation lives",
    file: "store/redis/sessions/session-records.ts",
    find: 'if (generation !== (epochs.generation ?? "")) {',
    replace: 'if (generation === "none") {',
    noticedBy: ["test/core/sessions/generations.test.ts"],
  },
  {
    mistake: "an older Redis is not noticed",
    file: "store/generations/generations.ts",
    find: "if (mark.beats < known.beats)",
    replace: "if (mark.beats < 0)",
    noticedBy: ["test/core/sessions/generations.test.ts"],
  },
  {
    mistake: "a Redis that lost its last second logs everybody out",
    file: "store/generations/generations.ts",
    find: "takeBeat(db, everyMs, mark)",
    replace: "takeBeat(db, everyMs, { ...mark, beats: mark.beats + 1 })",
    noticedBy: ["test/core/sessions/generations.test.ts"],
  },
  {
    mistake: "an older PostgreSQL is not noticed",
    file: "store/generations/generations.ts",
    find: 'return mark.beats > known.beats + MOST_AHEAD ? "postgresql_older" : undefined;',
    replace: "return undefined;",
    noticedBy: ["test/core/sessions/generations.test.ts"],
  },
  {
    mistake: "codes of an older key are not checked",
    file: "store/codes.ts",
    find: "codeKeys.map((codeKey) => hmacOf(codeKey, context));",
    replace: "codeKeys.slice(0, 1).map((codeKey) => hmacOf(codeKey, context));",
    noticedBy: ["test/store/codes.test.ts", "test/core/login/code-keys.test.ts"],
  },
  {
    mistake: "an API key stays under the older key for ever",
    file: "core/login/api-keys.ts",
    find: "if (right && to && bare(to) !== bare(kept))",
    replace: "if (right && !to)",
    noticedBy: ["test/core/login/code-keys.test.ts"],
  },
];
