import { createServer } from "node:net";

/** The preferred port if it is free, else a free one from the system. */
export function freePort(preferred = 0): Promise<number> {
  return tryPort(preferred).catch(() => tryPort(0));
}

/** Listens on a port for a moment and resolves with its number (0 asks the system for one). */
export function tryPort(port: number, host = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : port));
    });
  });
}
