import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { PGlite, protocol } from "@electric-sql/pglite";
import { type Request, requestsOf } from "./pg-requests.ts";

const { serialize } = protocol;

/** Leaves any transaction, also one in which an error has made the server wait for a sync. */
const ABANDON = Buffer.concat([
  serialize.query("rollback"),
  serialize.sync(),
  serialize.query("rollback"),
]);

/**
 * Runs PostgreSQL inside this process and speaks its protocol on 127.0.0.1, so that everything
 * else needs only one way to reach a database. It has one database and one superuser. Without a
 * folder it lives in memory. It has also one session only, which connections take in turns, each
 * for a query or a whole transaction: what is `set` outside of a transaction holds for all, and an
 * open transaction makes all others wait.
 */
export async function startPglite(options: {
  folder?: string;
  port: number;
}): Promise<{ url: string; stop: () => Promise<void> }> {
  const { folder = "memory://", port } = options;
  const db = await PGlite.create(folder);
  const startup = serialize.startup({ user: "postgres", database: "postgres" });
  const greeting = Buffer.from(await db.execProtocolRaw(startup));
  const clients = new Map<Socket, Promise<void>>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    // A broken connection ends its requests, and `serve` handles that.
    socket.on("error", () => {});
    const requests = requestsOf(socket, { greeting, owner: `${connections++}:` });
    const served = serve(db, socket, requests)
      .catch(() => void socket.destroy())
      .finally(() => clients.delete(socket));
    clients.set(socket, served);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      server.close();
      for (const socket of clients.keys()) socket.destroy();
      await Promise.all(clients.values());
      await db.close();
    },
  };
}

/** Answers one connection's requests. During a transaction no other connection uses the session. */
async function serve(
  db: PGlite,
  socket: Socket,
  requests: AsyncGenerator<Request, undefined>,
): Promise<void> {
  const next = async () => (await requests.next()).value;
  for (let first = await next(); first; first = await next()) {
    let request: Request | undefined = first;
    await db.runExclusive(async () => {
      try {
        while (request && !socket.destroyed) {
          socket.write(await db.execProtocolRaw(request.bytes));
          if (request.complete && !db.isInTransaction()) return;
          request = await next();
        }
      } finally {
        if (!request?.complete || db.isInTransaction()) await db.execProtocolRaw(ABANDON);
      }
    });
  }
}
