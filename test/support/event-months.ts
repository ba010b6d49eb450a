import pg from "pg";

/**
 * Gives `events` a partition for each month from `first` on, as if the service had run since then.
 * What lies after them and is in the oldest partition stays together, as the last of them.
 */
export async function olderMonths(url: string, first: Date, months: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("begin; set local timezone = 'UTC'");
    const { rows } = await client.query(
      "delete from event_partitions where name = 'events_before' returning to_at::text as end",
    );
    await client.query("alter table events detach partition events_before");
    await client.query("alter table events_before rename to events_rest");
    const month = (n: number) =>
      new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + n, 1));
    const add = (name: string, from: Date | null, to: Date) =>
      client.query("select events_add_partition($1, $2, $3)", [name, from, to]);
    await add("events_before", null, month(0));
    for (let n = 0; n < months; n++)
      await add(
        `events_${month(n).toISOString().slice(0, 7).replace("-", "_")}`,
        month(n),
        month(n + 1),
      );
    const [begin, end] = [month(months).toISOString(), rows[0].end];
    await client.query(
      `alter table events attach partition events_rest for values from ('${begin}') to ('${end}')`,
    );
    await client.query("insert into event_partitions values ('events_rest', $1, $2)", [begin, end]);
    await client.query("commit");
  } finally {
    await client.end();
  }
}

/** Runs statements past the triggers, as an attacker who has the owner's role could. */
export async function pastTriggers(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("set session_replication_role = replica");
    for (const statement of statements) await client.query(statement);
    // PGlite has one session for all its clients.
    await client.query("reset session_replication_role");
  } finally {
    await client.end();
  }
}
