import pg from "pg";

/**
 * Fills the tables with `quantity` more users of one account, each with an app and an event. They
 * only make the tables larger: nobody logs in as them.
 */
export async function loadRows(databaseUrl: string, quantity: number): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  const fill = (sql: string) => database.query(sql, [quantity]);
  // Skips the triggers: the queue of events and the checks of references.
  await database.query("set session_replication_role = replica");
  await database.query(
    "insert into accounts (id, name, kind, created_at) values (md5('filling'), 'filling', 'panel', now())",
  );
  await fill(`
    insert into users (id, account_id, username, password_hash, role, default_method, created_at)
    select md5('user' || n), md5('filling'), 'filling-' || n, repeat('x', 97), 'member', 'otp', now()
    from generate_series(1, $1::int) n`);
  await fill(`
    insert into devices (id, user_id, type, name, secret, verified_at, created_at)
    select md5('device' || n), md5('user' || n), 'otp', 'App', repeat('x', 90), now(), now()
    from generate_series(1, $1::int) n`);
  await fill(`
    insert into events (key, at, account_id, user_id, type)
    select 'filling/' || n, now(), md5('filling'), md5('user' || n), 'login_succeeded'
    from generate_series(1, $1::int) n`);
  await database.query("reset session_replication_role");
  await database.query("vacuum analyze");
  await database.end();
}
