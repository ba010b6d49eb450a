import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/**
 * Runs PostgreSQL inside this process and speaks its protocol on 127.0.0.1, so that everything
 * else needs only one way to reach a database. It has one database and one superuser. Without a
 * folder it lives in memory.
 */
export async function startPglite(options: {
  folder?: string;
  port: number;
}): Promise<{ url: string; stop: () => Promise<void> }> {
  const { folder = "memory://", port } = options;
  const db = await PGlite.create(folder);
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port, maxConnections: 100 });
  await server.start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop();
      await db.close();
    },
  };
}
