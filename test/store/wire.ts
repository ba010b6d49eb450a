import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Wire = Awaited<ReturnType<typeof wireTo>>;

/** A TCP proxy to a real server that a test can cut or silence, like a network failure. */
export async function wireTo(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    near.on("data", (data) => void (silent || far.write(data)));
    far.on("data", (data) => void (silent || near.write(data)));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const at = await listen(0);
  const url = new URL(target);
  url.host = `127.0.0.1:${at}`;

  const cut = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
  };
  return {
    url: url.href,
    /** Ends every connection and refuses new ones. */
    cut,
    /** Keeps connections open but forwards nothing. */
    silence() {
      silent = true;
    },
    /** New connections work again. Bytes lost during the silence stay lost. */
    async heal() {
      silent = false;
      if (!server.listening) await listen(at);
    },
  };
}
