import type { Mutation } from "./mutation.ts";

const MIGRATIONS = "test/store/postgres/migrations.test.ts";
const UPGRADE = "test/upgrade/upgrade.test.ts";

/** The rules of migrations, and of builds beside each other. */
export const upgradeMutations: Mutation[] = [
  {
    mistake: "a migration waits for a lock as long as it takes, and all queries wait behind it",
    file: "store/postgres/migrations/migrate.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of the file
    find: "      await client.query(`set local lock_timeout = ${LOCK_MS}`);\n",
    replace: "",
    noticedBy: [MIGRATIONS],
  },
  {
    mistake: "a migration waits for ever behind a lock that a pooler keeps",
    file: "store/postgres/migrations/migrate.ts",
    find: "if (holder !== undefined) throw notOurTurn(holder);",
    replace: "",
    noticedBy: [MIGRATIONS],
  },
  {
    mistake: "the role's timeout cuts a long migration off",
    file: "store/postgres/migrations/migrate.ts",
    find: '    await client.query("set statement_timeout = 0");\n',
    replace: "",
    noticedBy: [MIGRATIONS],
  },
  {
    mistake: "a migration that a merge brings in late is skipped",
    file: "store/postgres/migrations/migrate.ts",
    find: "where created_at = $1",
    replace: "where created_at >= $1",
    noticedBy: [MIGRATIONS],
  },
  {
    mistake: "an index is made in a transaction, which PostgreSQL refuses",
    file: "store/postgres/migrations/journal.ts",
    find: "!sql[0]?.startsWith(OUTSIDE)",
    replace: 'OUTSIDE !== ""',
    noticedBy: [MIGRATIONS],
  },
  {
    mistake: "a build starts on a database that lacks its migrations",
    file: "store/postgres/migrations/check-schema.ts",
    find: "if (missing.length > 0)",
    replace: "if (missing.length > known.length)",
    noticedBy: [UPGRADE],
  },
  {
    mistake: "a build starts on a database that no longer has what it needs",
    file: "store/postgres/migrations/check-schema.ts",
    find: "if (unknown.length > 0)",
    replace: "if (unknown.length > known.length)",
    noticedBy: [UPGRADE],
  },
  {
    mistake: "a worker that does not poll says that it is ready",
    file: "telemetry/probes.ts",
    find: "isReady() ? 200 : 503",
    replace: "isReady() ? 200 : 200",
    noticedBy: ["test/telemetry/probes.test.ts"],
  },
];
