import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { connectDatabase } from "../../../store/postgres/connect.ts";
import { certificates } from "../../../telemetry/certificates.ts";
import { DAY_MS } from "../../../units.ts";
import { freshDatabase } from "../../support/databases.ts";
import { startTlsFront } from "../../support/tls-front.ts";

/** Answers PostgreSQL's SSLRequest with yes, and passes on what comes over TLS. */
async function overTls(url: URL, files: { key: string; certificate: string }) {
  const tls = { key: readFileSync(files.key), cert: readFileSync(files.certificate) };
  const sockets = new Set<Socket>();
  const server = createServer(async (near) => {
    sockets.add(near.on("error", () => {}));
    await once(near, "data");
    near.write("S");
    const inner = new TLSSocket(near, { ...tls, isServer: true });
    const far = connect(Number(url.port), url.hostname);
    inner.pipe(far).pipe(inner);
    inner.on("error", () => far.destroy());
    far.on("error", () => inner.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  through.searchParams.set("sslmode", "no-verify");
  return {
    url: through.href,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a connection to PostgreSQL over TLS notes when the server's certificate expires", async () => {
  const front = await startTlsFront(1);
  const own = await freshDatabase("postgres");
  const proxy = await overTls(new URL(own.url), front);
  const database = connectDatabase(proxy.url, { max: 1 });
  try {
    await database.ping();
    const [known] = certificates(Date.now());
    expect(known?.certificate).toBe("postgresql");
    // The certificate of the test is made for a day.
    expect(known?.seconds).toBeGreaterThan(DAY_MS / 1000 - 600);
    expect(known?.seconds).toBeLessThanOrEqual(DAY_MS / 1000);
  } finally {
    await database.close();
    await proxy.stop();
    await own.drop();
    await front.stop();
  }
});
