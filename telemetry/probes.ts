import { createServer, type Server } from "node:http";

/**
 * Answers `GET /livez` with 200, and `GET /readyz` with 200 while `isReady` says so, else with 503.
 * Neither asks Temporal or a store: if one is away, it is away for every process, and restarts do
 * not help. Resolves once it listens at `ip:port`; rejects if the address is taken.
 */
export function serveProbes(address: string, isReady: () => boolean): Promise<Server> {
  const [host, port] = address.split(":");
  const server = createServer((request, response) => {
    const status = { "/livez": 200, "/readyz": isReady() ? 200 : 503 }[request.url ?? ""];
    response.writeHead(request.method === "GET" && status ? status : 404).end();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), host, () => resolve(server));
  });
}
