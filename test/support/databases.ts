import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { startPglite } from "../../scripts/pglite.ts";
import { freePort } from "../../scripts/ports.ts";
import { restrictRuntime } from "../../store/postgres/roles.ts";

export type DatabaseKind = "postgres" | "pglite";

/**
 * A database without tables; drop it after the tests. The kind `pglite` runs in this process and
 * takes about two seconds and 200 MB: make one per test file, not per test.
 */
export function freshDatabase(
  kind: DatabaseKind,
): Promise<{ url: string; drop: () => Promise<void> }> {
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
