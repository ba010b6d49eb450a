import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * A front of PostgreSQL, named `localhost`, that answers its SSLRequest with yes and passes on what
 * comes over TLS.
 */
export async function postgresOverTls(url: URL, files: { key: string; certificate: string }) {
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
  through.host = `localhost:${(server.address() as { port: number }).port}`;
  return {
    url: through.href,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
