import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { startPglite } from "../../scripts/pglite.ts";
import { freePort } from "../../scripts/ports.ts";
import { restrictRuntime } from "../../store/postgres/roles.ts";
import { startPgbouncer } from "./pgbouncer.ts";

export type DatabaseKind = "postgres" | "pglite" | "pgbouncer";

/**
 * A database without tables; drop it after the tests. `pgbouncer` is one of `postgres` behind a
 * PgBouncer of its own, in transaction mode. The kind `pglite` runs in this process and
 * takes about two seconds and 200 MB: make one per test file, not per test.
 */
export function freshDatabase(
  kind: DatabaseKind,
): Promise<{ url: string; drop: () => Promise<void> }> {
  if (kind === "pgbouncer") return freshPooled();
  return kind === "pglite" ? freshPglite() : freshPostgres();
}

async function freshPglite() {
  const { url, stop } = await startPglite({ port: await freePort() });
  return { url, drop: stop };
}

async function freshPostgres() {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await onServer(`create database ${name}`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = name;
  return { url: url.href, drop: () => onServer(`drop database ${name} with (force)`) };
}

async function freshPooled() {
  const { url, drop } = await freshPostgres();
  const name = new URL(url).pathname.slice(1);
  await onServer(`alter role postgres in database ${name} set statement_timeout = '5s'`);
  const pooler = await startPgbouncer(new URL(url));
  return {
    url: pooler.url,
    drop: async () => {
      await pooler.stop();
      await drop();
    },
  };
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject("postgresUrl") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Makes a role as the service has it in production; answers the URL of this database with it. */
export async function runtimeRole(ownerUrl: string): Promise<string> {
  const role = `runtime_${randomUUID().replaceAll("-", "")}`;
  await onServer(`create role ${role} login password 'runtime'`);
  await restrictRuntime(ownerUrl, role);
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = "runtime";
  return url.href;
}
