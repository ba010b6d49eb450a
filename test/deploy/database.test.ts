import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { freePort } from "../../scripts/ports.ts";
import { ensurePostgres, startPostgres } from "../../scripts/postgres.ts";
import { prepareDatabase } from "../../scripts/prepare-database.ts";
import { type Child, launch } from "../../scripts/processes.ts";
import { runProgram } from "../../scripts/programs.ts";
import { olderMonths } from "../support/event-months.ts";
import { limit } from "../support/limits.ts";
import { restoreRecord } from "../upgrade/recorded.ts";

// Roles belong to a whole server, so these tests have their own.
const folder = mkdtempSync(join(tmpdir(), "second-step-database-"));
const children: Child[] = [];
const PASSWORDS = {
  DATABASE_PASSWORD: "of-the-service",
  DATABASE_OWNER_PASSWORD: "of-the-owner",
  DATABASE_MONITOR_PASSWORD: "of-the-monitor",
  TEMPORAL_DATABASE_PASSWORD: "of-temporal",
};
let env: NodeJS.ProcessEnv;
let url: (user: string, password: string) => string;
let service: string;
let owner: string;

beforeAll(async () => {
  const programs = await ensurePostgres(() => {});
  const port = await freePort();
  const logFile = join(folder, "log");
  const remembering = (program: Parameters<typeof launch>[0]) => {
    const child = launch(program);
    children.push(child);
    return child;
  };
  const server = { programs, folder: join(folder, "server"), port, logFile };
  // PostgreSQL runs as another user.
  await runProgram("chmod", ["755", folder]);
  const { password } = new URL(await startPostgres(remembering, server));
  url = (user, word) => `postgres://${user}:${word}@127.0.0.1:${port}/second_step`;
  service = url("second_step", PASSWORDS.DATABASE_PASSWORD);
  owner = url("second_step_owner", PASSWORDS.DATABASE_OWNER_PASSWORD);
  env = {
    ...{ PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: "postgres", PGPASSWORD: password },
    ...{ ...PASSWORDS, PATH: `${programs}:${process.env.PATH}`, DATABASE_OWNER_URL: owner },
  };
  const script = join(checkoutFolder, "scripts/compose/create-databases.sh");
  await runProgram("sh", [script], { env });
}, limit(120_000));
afterAll(async () => {
  for (const child of children) await child.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `docker compose exec -T postgres` is this machine; the containers themselves are not there. */
const DOCKER = `docker() { case "$2" in exec) shift 4; "$@" ;; up | stop) ;; *) exit 64 ;; esac; }`;
const run = (commands: string) =>
  runProgram("bash", ["-euo", "pipefail", "-c", `${DOCKER}\n${commands}`], { cwd: folder, env });

/** The shell block of the document that has this text, without its indentation. */
function block(document: string, text: string): string {
  const blocks = readFileSync(join(checkoutFolder, "docs", document), "utf8").match(
    /^( *)```(sh|sql)\n[\s\S]*?^\1```/gm,
  );
  const found = blocks?.find((each) => each.includes(text)) ?? "";
  const [, indentation = ""] = /^( *)/.exec(found) ?? [];
  return found.split("\n").slice(1, -1).join("\n").replaceAll(`\n${indentation}`, "\n");
}

async function query(as: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: as });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

const prepare = () => prepareDatabase({ DATABASE_URL: service, DATABASE_OWNER_URL: owner });
const EVENT = "insert into events (key, at, account_id, type)";

/** The owner has all tables, and the service's role reads and adds events and does nothing else. */
async function expectTwoRoles() {
  expect(
    await query(
      service,
      `select distinct tableowner from pg_tables where schemaname in ('public', 'drizzle')`,
    ),
  ).toEqual([["second_step_owner"]]);
  await query(service, `${EVENT} values (gen_random_uuid(), now(), 'a', 'happened')`);
  await expect(query(service, "delete from events")).rejects.toThrow("permission denied");
  const adding = "select events_add_partition('x', null, now())";
  await expect(query(service, adding)).rejects.toThrow("permission denied");
}

/** Prometheus's role sees statistics and no rows. */
async function expectMonitor() {
  const monitor = url("monitor", PASSWORDS.DATABASE_MONITOR_PASSWORD);
  expect(await query(monitor, "select count(*) > 0 from pg_stat_activity")).toEqual([[true]]);
  await expect(query(monitor, "select from users")).rejects.toThrow("permission denied");
}

test("the commands of the document restore a backup, and its owner has the audit trail again", async () => {
  await prepare();
  await query(service, `${EVENT} values ('before', now(), 'a', 'happened')`);
  await run(block("disaster-recovery.md", `-d "$DATABASE_OWNER_URL"\n`));
  for (const restore of ['--jobs=2 -d "$DATABASE_OWNER_URL"', "--role=second_step_owner"]) {
    await query(service, `${EVENT} values (gen_random_uuid(), now(), 'a', 'after')`);
    await run(block("disaster-recovery.md", restore));
    await prepare();
    expect(await query(service, "select key from events")).toEqual([["before"]]);
  }
  await expectTwoRoles();
  await expectMonitor();
});

test("the owner drops the oldest month by hand, and the retention does not stay", async () => {
  await olderMonths(owner, new Date("2024-01-01"), 1);
  await query(service, `${EVENT} values ('old', '2024-01-15', 'a', 'happened')`);
  await query(owner, "delete from event_queue");
  const drop = `psql -d "$DATABASE_OWNER_URL" --single-transaction -v ON_ERROR_STOP=1 <<'SQL'
${block("operations.md", "events_drop(")}
SQL`;
  await expect(run(drop)).rejects.toThrow("still wait");
  expect(await query(owner, "select from event_retention")).toEqual([]);
  await query(owner, "delete from event_chain_queue");
  await run(drop);
  expect(await query(owner, "select from events where key = 'old'")).toEqual([]);
  expect(await query(owner, "select from event_retention")).toEqual([]);
  await expect(run(drop)).rejects.toThrow("no rows returned");
});

test("the commands for the version before 0004 give its database the roles of today", async () => {
  await run(`
    psql -d postgres -c "drop database second_step with (force)" -c "drop role second_step_owner" \\
      -c "drop role monitor" -c "create database second_step owner second_step" \\
      -c "revoke connect on database second_step from public"`);
  await restoreRecord(service);
  await run(block("upgrading.md", "before-0004.dump"));
  await prepare();
  expect(Number((await query(service, "select count(*) from events"))[0]?.[0])).toBeGreaterThan(10);
  await expectTwoRoles();
  await expectMonitor();
});

test("an administrator who is no superuser makes the roles, for a new database and for one with one role", async () => {
  const dropped = `-c "drop database second_step with (force)" -c "drop role second_step_owner"`;
  const made = `-c "drop role second_step" -c "create role admin login createrole createdb password 'admin'"`;
  await run(`psql -d postgres ${dropped} -c "drop role monitor" ${made}`);
  const asAdmin = (database: string, sql: string) =>
    run(`PGPASSWORD=admin psql -U admin -d ${database} -v ON_ERROR_STOP=1 <<'SQL'
${sql
  .replace(
    /(role second_step_owner login password) '\.\.\.'/,
    `$1 '${PASSWORDS.DATABASE_OWNER_PASSWORD}'`,
  )
  .replace(/(role second_step login password) '\.\.\.'/, `$1 '${PASSWORDS.DATABASE_PASSWORD}'`)}
SQL`);
  await asAdmin("postgres", block("installing.md", "create database second_step"));
  await prepare();
  await expectTwoRoles();

  await run(`psql -d postgres ${dropped} -c "create database second_step owner second_step"`);
  await prepareDatabase({ DATABASE_URL: service });
  await asAdmin("second_step", block("installing.md", "grant second_step, second_step_owner"));
  await prepare();
  await expectTwoRoles();
});
