import { createHash } from "node:crypto";
import { TLSSocket } from "node:tls";
import { drizzle, type NodePgQueryResultHKT } from "drizzle-orm/node-postgres";
import type { PgDatabase } from "drizzle-orm/pg-core";
import pg from "pg";
import { noteCertificate } from "../../telemetry/certificates.ts";
import { publish } from "../../telemetry/facts.ts";
import type { PoolUse } from "../../telemetry/pool-use.ts";
import { inSpan } from "../../telemetry/spans.ts";
import { isUnavailable } from "../unavailable.ts";

/** A database or a transaction in it. */
export type Db = PgDatabase<NodePgQueryResultHKT>;

const CONNECT_MS = 2_000;
const QUERY_MS = 5_000;
/**
 * The timeout, in ms, for queries that a request waits for: requests are answered within 2 s even
 * if the server has gone silent.
 */
export const REQUEST_MS = 1_500;
const NO_TIMEOUT =
  "PostgreSQL ends no late statement: behind a pooler, set statement_timeout for the role (docs/scale-out.md)";

/** The part of a pool or client that Drizzle calls. */
type Queryable = {
  query(
    /** The simple protocol would take several statements in one text. */
    config: pg.QueryArrayConfig & { queryMode: "extended" },
    parameters: unknown[],
  ): Promise<pg.QueryArrayResult>;
};

type Options = {
  max?: number;
  patienceMs?: number;
  /** Whether statements get names. Poolers that do not know named statements need false. */
  named?: boolean;
};

/**
 * A pool of connections. Queries fail instead of waiting: after 2 s without a connection, after 5 s
 * without an answer, or after `patienceMs` if that is less. Only the query that needs a connection
 * throws when the connection is lost.
 */
export function connectDatabase(
  url: string,
  { max = 10, patienceMs = QUERY_MS, named = true }: Options = {},
) {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: Math.min(CONNECT_MS, patienceMs),
    statement_timeout: patienceMs,
    keepAlive: true,
  });
  // A lost connection already fails its query. Unhandled "error" events would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    const socket = socketOf(client);
    if (socket instanceof TLSSocket) noteServer(socket);
    socket.on("timeout", () => {
      socket.destroy(
        Object.assign(new Error("The database does not answer"), { code: "ETIMEDOUT" }),
      );
    });
  });
  // The server enforces the statement timeout. This timeout covers a server that has gone silent.
  pool.on("acquire", (client) => void socketOf(client).setTimeout(patienceMs));
  pool.on("release", (_error, client) => void socketOf(client).setTimeout(0));

  const db: Db = open(pool, named);
  db.transaction = (run, config) =>
    transact(pool, { patienceMs, named }, (tx) => tx.transaction(run, config));
  return {
    db,
    /**
     * Calls `warn` if the server ends no statement that takes too long. Behind a pooler the timeout
     * of a connection has no effect, so the role needs one. Never throws.
     */
    async checkTimeout(warn: (text: string) => void) {
      const read = pool.query("select current_setting('statement_timeout') as timeout");
      const { rows } = await read.catch(() => ({ rows: [] }));
      if (rows[0]?.timeout === "0") warn(NO_TIMEOUT);
    },
    /** Resolves when the database answers. */
    ping: async () => void (await pool.query("select 1")),
    /** How many connections there may be, how many work now, and how many queries wait for one. */
    pool: (): PoolUse => ({
      size: max,
      used: pool.totalCount - pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => pool.end(),
  };
}

/** Drizzle's own transaction never releases the connection if its `begin` fails; this one does. */
async function transact<T>(
  pool: pg.Pool,
  { patienceMs, named }: Required<Pick<Options, "patienceMs" | "named">>,
  run: (db: Db) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const socket = socketOf(client);
  // No timeout between queries: the transaction may wait for something else, and the server is not
  // late.
  socket.setTimeout(0);
  const query = async (config: pg.QueryArrayConfig, parameters: unknown[]) => {
    socket.setTimeout(patienceMs);
    try {
      return await client.query(config, parameters);
    } finally {
      socket.setTimeout(0);
    }
  };
  let broken = false;
  try {
    return await run(open({ query }, named));
  } catch (error) {
    broken = isUnavailable(error);
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * Runs queries without leaking data through errors. Drizzle writes the parameters of a failed query
 * into the error's message, and PostgreSQL writes the row into `detail`. Phone numbers and hashes
 * would end up in logs and workflow histories.
 */
function open(client: Queryable, named: boolean): Db {
  const query = async (config: pg.QueryArrayConfig, parameters: unknown[]) => {
    const begun = performance.now();
    const ended = (outcome: "ok" | "failed") =>
      publish("database-query", { outcome, seconds: (performance.now() - begun) / 1000 });
    try {
      const name = named ? nameOf(config.text) : undefined;
      const answer = await inSpan(
        () => aboutStatement(config.text),
        () => client.query({ ...config, name, queryMode: "extended" }, parameters),
      );
      ended("ok");
      return answer;
    } catch (error) {
      ended("failed");
      parameters.length = 0;
      throw Object.assign(error as Error, { detail: undefined, where: undefined });
    }
  };
  return drizzle({ query } as unknown as pg.Pool);
}

/** A statement's span: its verb and first table, because its text may be long. */
function aboutStatement(text: string) {
  const verb = /^\w+/.exec(text)?.[0].toLowerCase() ?? "query";
  const table = /\b(?:from|into|update) "(\w+)"/.exec(text)?.[1];
  return {
    name: ["postgresql", verb, table].filter(Boolean).join(" "),
    attributes: {
      "db.system.name": "postgresql",
      "db.operation.name": verb,
      "db.collection.name": table,
    },
  };
}

/**
 * The most statements that get a name. There are fewer in the code; the rest come from lists and
 * filters, and are not worth caching.
 */
const MOST_NAMED = 300;
const names = new Map<string, string>();

/**
 * A statement's name, so that each connection parses and plans it only once. It is a hash of the
 * text: behind a pooler, builds with different statements share connections.
 */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known || names.size >= MOST_NAMED) return known;
  const name = `s_${createHash("sha256").update(text).digest("base64url")}`;
  names.set(text, name);
  return name;
}

function noteServer(socket: TLSSocket) {
  const certificate = socket.getPeerX509Certificate();
  if (certificate) noteCertificate("postgresql", certificate.toString());
}

function socketOf(client: pg.PoolClient) {
  return (client as unknown as { connection: { stream: import("node:net").Socket } }).connection
    .stream;
}
