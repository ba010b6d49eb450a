import type pg from "pg";
import { olderMonths } from "../../../support/event-months.ts";

/** The months over which the events are spread, the current one included. */
const MONTHS = 24;

/** Fills `events` with so many rows over two years, oldest first, and their keys and links. */
export async function fillEvents(client: pg.Client, url: string, quantity: number): Promise<void> {
  const now = new Date();
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - MONTHS + 1, 1));
  // The newest two months have partitions: `events_rest`, and the current one.
  await olderMonths(url, first, MONTHS - 2);
  // Skips the triggers, so that the queues stay empty.
  await client.query("set session_replication_role = replica");
  await client.query(
    `insert into events (key, at, account_id, user_id, type)
     select 'fact/' || n, $2::timestamptz + (now() - $2::timestamptz) * (n / $1::float8),
       'account' || n % 1000, 'user' || n % 50000,
       case when n % 1000 = 7 then 'send_refused' when n % 2000 = 13 then 'account_locked'
         when n % 3000 = 17 then 'device_removed' when n % 10 = 1 then 'login_failed'
         else 'login_succeeded' end
     from generate_series(1, $1::int) n`,
    [quantity, first],
  );
  await client.query(
    `insert into event_keys select key, id, at from events where at > now() - interval '40 days'`,
  );
  await client.query(
    `insert into event_chain
     select account_id, row_number() over (partition by account_id order by id), id, at,
       repeat('0', 64) from events`,
  );
  await client.query("reset session_replication_role");
  await client.query("vacuum analyze");
}

type Question = {
  question: string;
  statement: string;
  indexes: string[];
  /** Only a month of many pages is worth a BRIN index: a small one is read otherwise. */
  large?: true;
};

/** What people and the service ask, the statement, and the indexes that must answer it. */
export const QUESTIONS: Question[] = [
  {
    question: "3. why a user was locked",
    statement: `select at, type, ip, workflow_id from events where user_id = 'user13' and type in
      ('account_locked', 'account_unlocked', 'login_failed') order by id desc limit 20`,
    indexes: ["events_by_user"],
  },
  {
    question: "6. messages that a limit refused",
    statement: `select detail->>'limit', count(*), max(at) from events where type = 'send_refused'
      and at > now() - interval '1 day' group by 1`,
    indexes: ["events_by_type"],
  },
  {
    question: "8. an account's logins by day",
    statement: `select at::date as day, type, count(*) from events where account_id = 'account5'
      and type like 'login%' group by day, type order by day desc, type limit 20`,
    indexes: ["events_by_account"],
  },
  {
    question: "9. who turned it off",
    statement: `select at, type, actor_id from events where user_id = 'user17' and type in
      ('device_removed', 'all_devices_removed') order by id desc`,
    indexes: ["events_by_user"],
  },
  {
    question: "11. what happened in the last minutes",
    statement: `select type, count(*) from events where at > now() - interval '10 minutes' group by type`,
    indexes: ["events_by_time"],
    large: true,
  },
  {
    question: "a page of an account's activity",
    statement: `select * from events where account_id = 'account5' and id < $1 order by id desc limit 51`,
    indexes: ["events_by_account"],
  },
  {
    question: "a page of a user's activity",
    statement: `select * from events where user_id = 'user7' and id < $1 order by id desc limit 51`,
    indexes: ["events_by_user"],
  },
  {
    question: "a page of an export",
    statement: "select * from events where id > $1 order by id limit 500",
    indexes: ["events_id_at_pk"],
  },
  {
    question: "an event by its ID",
    statement: "select * from events where id = $1",
    indexes: ["events_id_at_pk"],
  },
  {
    question: "an event by its key",
    statement: `select e.* from event_keys k join events e on e.id = k.event_id and e.at = k.at
      where k.key = (select 'fact/' || $1::bigint * 2 - 2)`,
    indexes: ["event_keys_pkey", "events_id_at_pk"],
  },
  {
    question: "the newest link of an account",
    statement: `select seq, hash from event_chain where account_id = 'account5' order by seq desc limit 1`,
    indexes: ["event_chain_account_id_seq_pk"],
  },
  {
    question: "a page of `events verify`",
    statement: `select page.id, c.seq, p.hash from (select * from events where account_id = 'account5'
        and id > $1 order by id limit 1000) page
      left join event_chain c on c.event_id = page.id and c.at = page.at
      left join event_chain p on p.account_id = c.account_id and p.seq = c.seq - 1 order by page.id`,
    indexes: ["events_by_account", "event_chain_by_event", "event_chain_account_id_seq_pk"],
  },
];

type Node = {
  "Node Type": string;
  "Index Name"?: string;
  "Relation Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  Plans?: Node[];
};

/** How the server answered: the indexes, by their names on `events`; full reads; and the ms. */
export async function planOf(client: pg.Client, statement: string) {
  const { rows: newest } = await client.query("select max(id) / 2 as id from events");
  const cursor = statement.includes("$1") ? [newest[0].id] : [];
  const { rows } = await client.query(`explain (analyze, format json) ${statement}`, cursor);
  const [{ Plan, "Planning Time": planning, "Execution Time": execution }] = rows[0]["QUERY PLAN"];
  const nodes = nodesOf(Plan).filter((node) => node["Actual Loops"] > 0);
  const used = nodes.flatMap((node) => node["Index Name"] ?? []);
  const { rows: parents } = await client.query(
    `select distinct coalesce(inhparent, oid)::regclass::text as name from pg_class
     left join pg_inherits on inhrelid = oid where relname = any($1)`,
    [used],
  );
  const reads = (node: Node) => node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0);
  const full = nodes.filter((node) => node["Node Type"] === "Seq Scan" && reads(node) > 100);
  return {
    indexes: parents.map(({ name }) => name as string).sort(),
    fullReads: full.map((node) => node["Relation Name"]),
    ms: Math.round(10 * (planning + execution)) / 10,
  };
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
