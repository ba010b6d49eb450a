import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { protocol } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { checkoutFolder } from "../../scripts/folders.ts";
import { startPglite } from "../../scripts/pglite.ts";
import { freePort } from "../../scripts/ports.ts";
import { limit } from "../support/limits.ts";

const { serialize } = protocol;
const STARTUP = serialize.startup({ user: "postgres", database: "postgres" });
const CANCEL_REQUEST = Buffer.from("00000010" + "04d2162e" + "0000000100000002", "hex");

vi.setConfig({ testTimeout: limit(20_000) });

let database: Awaited<ReturnType<typeof startPglite>>;
let pools: pg.Pool[];
beforeAll(async () => {
  database = await startPglite({ port: await freePort() });
  pools = Array.from({ length: 4 }, () => {
    const pool = new pg.Pool({
      connectionString: database.url,
      max: 5,
      query_timeout: limit(10_000),
    });
    return pool.on("error", () => {});
  });
  await ask("create table kept (n int primary key, note text not null)");
});
beforeEach(() => ask("truncate kept"));
// Stops the server first: after a fault the pools would wait for it.
afterAll(async () => {
  await database?.stop();
  await Promise.allSettled(pools.map((pool) => pool.end()));
});

async function ask(sql: string, ...parameters: unknown[]) {
  const [pool] = pools;
  return (await (pool as pg.Pool).query(sql, parameters)).rows;
}

async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** A raw connection for protocol messages; `hears` waits for a message of a type. */
async function spoken() {
  const socket = connect(Number(new URL(database.url).port), "127.0.0.1");
  let heard = "";
  socket.on("error", () => {}).on("data", (bytes) => (heard += bytes.toString("latin1")));
  await once(socket, "connect");
  const hears = (text: string) =>
    vi.waitFor(() => expect(heard).toContain(text), { timeout: limit(20_000) });
  return { socket, hears };
}

async function transaction(pool: pg.Pool, n: number, end: "commit" | "rollback") {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("insert into kept values ($1, $2)", [n, end]);
    const { rows } = await client.query("select * from kept where n = $1", [n]);
    await client.query(end);
    return rows;
  } finally {
    client.release();
  }
}

/** What the n-th of many parallel clients does, and the result that it must get. */
const KINDS: ((pool: pg.Pool, n: number) => Promise<unknown>)[] = [
  async (pool, n) => {
    const { rows } = await pool.query("select $1::int as one", [n]);
    expect(rows).toEqual([{ one: n }]);
  },
  async (pool, n) => {
    const sql = "select $1::int as one, $2::text as two, $3::int as three";
    const { rows } = await pool.query(sql, [n, `two ${n}`, 3]);
    expect(rows).toEqual([{ one: n, two: `two ${n}`, three: 3 }]);
  },
  async (pool, n) => {
    const failing = pool.query("select ($1::text || ' is none')::int, $2::int", [n, n]);
    await expect(failing).rejects.toThrow(`"${n} is none"`);
  },
  async (pool, n) => expect(await transaction(pool, n, "commit")).toEqual([{ n, note: "commit" }]),
  async (pool, n) =>
    expect(await transaction(pool, n, "rollback")).toEqual([{ n, note: "rollback" }]),
];

test("many queries and transactions at once get their own answers, and all committed data stays", async () => {
  const numbers = Array.from({ length: 400 }, (_, n) => n);
  const outcomes = await Promise.allSettled(
    numbers.map((n) => KINDS[n % KINDS.length]?.(pools[n % pools.length] as pg.Pool, n)),
  );
  const wrong = outcomes.flatMap((o) => (o.status === "rejected" ? [String(o.reason)] : []));
  expect(wrong).toEqual([]);
  const committed = numbers.filter((n) => n % KINDS.length === 3);
  const kept = await ask("select n, note from kept order by n");
  expect(kept).toEqual(committed.map((n) => ({ n, note: "commit" })));
});

test("other clients wait for the end of a transaction", async () => {
  const client = await connected();
  await client.query("begin");
  await client.query("insert into kept values (1, 'mine')");
  const others = Promise.all([
    ask("select note from kept"),
    ask("insert into kept values (2, '')"),
  ]);
  await client.query("update kept set note = 'still mine'");
  await client.query("commit");
  expect((await others)[0]).toEqual([{ note: "still mine" }]);
  await client.end();
});

test("a request in two halves keeps the database until its end", async () => {
  const { socket, hears } = await spoken();
  socket.write(STARTUP);
  socket.write(serialize.parse({ text: "insert into kept values (1, 'whole')" }));
  socket.write(Buffer.concat([serialize.bind({}), serialize.execute({}), serialize.flush()]));
  await hears("INSERT 0 1");
  const waiting = ask("select note from kept");
  await Promise.race([waiting, sleep(200)]);
  socket.write(serialize.parse({ text: "update kept set note = 'both' where note = 'whole'" }));
  socket.write(Buffer.concat([serialize.bind({}), serialize.execute({}), serialize.sync()]));
  await hears("UPDATE 1");
  expect(await waiting).toEqual([{ note: "both" }]);
  socket.destroy();
});

test("a copy from the client is refused, and the connection stays usable", async () => {
  const client = await connected();
  await expect(client.query("copy kept from stdin")).rejects.toThrow("takes no copy");
  expect((await client.query("select $1::int as n", [1])).rows).toEqual([{ n: 1 }]);
  await client.end();
});

test("a process killed inside a transaction is rolled back, and the others continue", async () => {
  const script = `
    import pg from "pg";
    const client = new pg.Client(${JSON.stringify(database.url)});
    await client.connect();
    await client.query("begin");
    await client.query("insert into kept values (1, 'lost')");
    console.log("inside");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: checkoutFolder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const waiting = ask("select n from kept");
  child.kill("SIGKILL");
  expect(await waiting).toEqual([]);
});

test("a client that leaves in a failed transaction, or in the middle of a request, leaves nothing behind", async () => {
  const client = await connected();
  await client.query("begin");
  await client.query("insert into kept values (1, 'lost')");
  await expect(client.query("select 1/0")).rejects.toThrow("division by zero");
  await client.end();
  expect(await ask("select n from kept")).toEqual([]);

  for (const note of ["'lost'", "null"]) {
    const { socket, hears } = await spoken();
    socket.write(STARTUP);
    socket.write(serialize.parse({ text: `insert into kept values (2, ${note})` }));
    socket.write(Buffer.concat([serialize.bind({}), serialize.execute({}), serialize.flush()]));
    await hears(note === "null" ? "violates not-null" : "INSERT 0 1");
    const waiting = ask("select n from kept");
    socket.destroy();
    expect(await waiting).toEqual([]);
  }
});

test("each connection has its own prepared statements, also under equal names", async () => {
  const [one, other] = [await connected(), await connected()];
  const askOne = () => one.query({ name: "same", text: "select $1::int as n", values: [1] });
  const askOther = () => other.query({ name: "same", text: "select 'x' as text" });
  for (let round = 0; round < 2; round++) {
    expect((await askOne()).rows).toEqual([{ n: 1 }]);
    expect((await askOther()).rows).toEqual([{ text: "x" }]);
  }
  await one.end();
  await other.end();
});

test("messages of any size arrive whole", async () => {
  const large = "ä".repeat(3_000_000);
  const sizes = await Promise.all(
    pools.map((pool) => pool.query("select length($1) as n, $1 as text", [large])),
  );
  for (const { rows } of sizes) expect(rows[0]).toEqual({ n: large.length, text: large });
});

test("encryption is refused; a client that cancels or speaks another protocol is cut off", async () => {
  const encrypted = new pg.Client({ connectionString: database.url, ssl: true });
  await expect(encrypted.connect()).rejects.toThrow("does not support SSL");
  const unknown = Buffer.concat([STARTUP, Buffer.from("i\0\0\0\x04")]);
  for (const bytes of [CANCEL_REQUEST, Buffer.alloc(64), unknown]) {
    const { socket } = await spoken();
    socket.write(bytes);
    await once(socket, "close");
  }
  expect(await ask("select 1 as n")).toEqual([{ n: 1 }]);
});
