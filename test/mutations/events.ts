import type { Mutation } from "./mutation.ts";

const MIGRATION = "store/postgres/migrations/0004_event_partitions.sql";

/** What keeps the audit trail: its partitions, its chains and its roles. */
export const eventsMutations: Mutation[] = [
  {
    mistake: "a changed event keeps the hash of its link",
    file: "store/events/event-hash.ts",
    find: ".update(canonical(fact))",
    replace: ".update(canonical({ id, key }))",
    noticedBy: ["test/store/postgres/events/event-chain.test.ts"],
  },
  {
    mistake: "two workers build one chain at once",
    file: "store/postgres/events/event-chain.ts",
    find: "    if (!rows[0]?.mine) return 0;\n",
    replace: "",
    noticedBy: ["test/store/postgres/events/event-chain.test.ts", "test/temporal/chaining.test.ts"],
  },
  {
    mistake: "an event that is gone with its link is not missed",
    file: "store/postgres/events/verify-events.ts",
    find: "if (linked !== head - gone)",
    replace: "if (linked > head)",
    noticedBy: ["test/store/postgres/events/event-chain.test.ts"],
  },
  {
    mistake: "an event that was written past the queue passes for one that waits",
    file: "store/postgres/events/verify-events.ts",
    find: "if (queued === null) found(",
    replace: "if (queued !== null) found(",
    noticedBy: ["test/store/postgres/events/event-chain.test.ts"],
  },
  {
    mistake: "the service's role may change links",
    file: "store/postgres/roles.ts",
    find: 'event_chain: "select, insert"',
    replace: 'event_chain: "select, insert, update"',
    noticedBy: ["test/store/postgres/roles.test.ts"],
  },
  {
    mistake: "the service's role may change the partitions of events",
    file: "store/postgres/roles.ts",
    find: "...partitions.rows.map(({ name }) => name)",
    replace: "",
    noticedBy: ["test/store/postgres/roles.test.ts"],
  },
  {
    mistake: "a month is dropped although its export has other events than were chained",
    file: "store/events/event-archive.ts",
    find: "if (linkHash(chain.previous, { ...rest, at: new Date(at) }) !== chain.hash)",
    replace: "if (chain.hash === undefined)",
    noticedBy: ["test/activities/events.test.ts"],
  },
  {
    mistake: "a key is forgotten while its fact may be repeated",
    file: "limits.ts",
    find: "settings.TEMPORAL_RETENTION_DAYS ?? 30) + 10)",
    replace: "settings.TEMPORAL_RETENTION_DAYS ?? 30) + 1)",
    noticedBy: ["test/activities/events.test.ts"],
  },
  {
    mistake: "an upkeep that reaches no database ends without being counted",
    file: "workflows/audit-maintenance.ts",
    find: ".catch(givenUp)",
    replace: "",
    noticedBy: ["test/workflows/audit-maintenance.test.ts"],
  },
  {
    mistake: "the role's timeout cuts the upkeep off behind a pooler",
    file: "store/postgres/long-statements.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the file
    find: "select set_config('statement_timeout', ${String(ms)}, true)",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the file
    replace: "select ${String(ms)}::text",
    noticedBy: ["test/activities/events.test.ts"],
  },
  {
    mistake: "events that are not chained yet are dropped",
    file: MIGRATION,
    find: '\n\t\tOR EXISTS (SELECT FROM "event_chain_queue" WHERE "at" < "due"."to_at")',
    replace: "",
    noticedBy: ["test/store/postgres/events/event-partitions.test.ts"],
  },
  {
    mistake: "a month can be dropped before its time",
    file: MIGRATION,
    find: 'IF "due"."name" IS DISTINCT FROM "partition" THEN',
    replace: "IF false THEN",
    noticedBy: [
      "test/store/postgres/events/event-partitions.test.ts",
      "test/store/postgres/roles.test.ts",
    ],
  },
  {
    mistake: "an event of a clock that is years ahead makes a partition of years",
    file: "store/postgres/events/events.ts",
    find: "now() + interval '1 day'",
    replace: "now() + interval '100 years'",
    noticedBy: ["test/store/postgres/events/event-partitions.test.ts"],
  },
];
