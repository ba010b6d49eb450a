import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

/**
 * Serves `GET /metrics` for Prometheus, and nothing else, at `ip:port`. This is not the port that
 * users reach, so no proxy has to hide it. Resolves once it listens; rejects if the address is
 * taken.
 */
export function serveMetrics(address: string, registry: Registry): Promise<Server> {
  const [host, port] = address.split(":");
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      // If a metric cannot be read, this one scrape fails and the gateway goes on.
      () => response.writeHead(500).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(port), host, () => resolve(server));
  });
}
