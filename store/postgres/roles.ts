import { sql } from "drizzle-orm";
import pg from "pg";
import type { Db } from "./connect.ts";

/** Says how long events are kept; undefined is for ever. Only the tables' owner may. */
export async function setRetention(ownerUrl: string, months: number | undefined): Promise<void> {
  await asOwner(ownerUrl, async (client) => {
    await client.query("delete from event_retention");
    if (months !== undefined)
      await client.query("insert into event_retention (months) values ($1)", [months]);
  });
}

/** What the service does with the audit tables. Partitions are reached through `events` alone. */
const AUDIT: Record<string, string> = {
  events: "select, insert",
  event_chain: "select, insert",
  event_chain_dropped: "select",
  event_partitions: "select",
  event_retention: "select",
};

/**
 * Gives the service's role what it needs: all rows of the ordinary tables, but of the audit trail
 * only to read and to append. Throws if the role could take more: if it is a superuser or a member of
 * the owner's role, owns the database or tables, or may make tables.
 */
export async function restrictRuntime(ownerUrl: string, role: string): Promise<void> {
  await asOwner(ownerUrl, async (client) => {
    // Databases from before PostgreSQL 15 let every role make tables here.
    await client.query("revoke create on schema public from public");
    const { rows } = await client.query(
      `select rolsuper or rolname = current_user or pg_has_role(oid, current_user, 'member')
         or exists (select from pg_class where relowner = pg_roles.oid and relname like 'event%')
         or exists (select from pg_database where datname = current_database() and datdba = pg_roles.oid)
         or has_schema_privilege(oid, 'public', 'create')
         as more
       from pg_roles where rolname = $1`,
      [role],
    );
    if (!rows[0]) throw new Error(`There is no database role ${role}`);
    if (rows[0].more)
      throw new Error(
        `The role of DATABASE_URL, ${role}, owns the database, the schema public or tables in it, or can become their owner: docs/operations.md, "The audit trail"`,
      );
    const name = pg.escapeIdentifier(role);
    const partitions = await client.query(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass`,
    );
    const audit = [...Object.keys(AUDIT), ...partitions.rows.map(({ name }) => name)].join(", ");
    const { rows: here } = await client.query("select current_database() as name");
    await client.query(`
      grant connect on database ${pg.escapeIdentifier(here[0].name)} to ${name};
      grant usage on schema public, drizzle to ${name};
      grant select on all tables in schema drizzle to ${name};
      grant select, insert, update, delete on all tables in schema public to ${name};
      revoke all on ${audit} from ${name};
      ${Object.entries(AUDIT)
        .map(([table, rights]) => `grant ${rights} on ${table} to ${name};`)
        .join("\n")}
      grant usage on sequence events_id_seq to ${name};
      grant execute on function
        events_make_months(integer), events_due(), events_drop(text, bigint) to ${name}`);
  });
}

/** Whether this connection's role could change events, as it does in a set-up with one role. */
export async function canChangeEvents(db: Db): Promise<boolean> {
  const { rows } = await db.execute<{ can: boolean }>(
    sql`select has_table_privilege('events', 'update, delete, truncate') as can`,
  );
  return rows[0]?.can === true;
}

async function asOwner(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await work(client);
    await client.query("commit");
  } finally {
    await client.end();
  }
}
