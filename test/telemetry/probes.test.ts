import { expect, test } from "vitest";
import { freePort } from "../../scripts/ports.ts";
import { serveProbes } from "../../telemetry/probes.ts";

test("a process lives while it answers, and is ready only while it says so", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  let ready = false;
  const server = await serveProbes(address, () => ready);
  const status = async (path: string, method = "GET") =>
    (await fetch(`http://${address}${path}`, { method })).status;
  expect([await status("/livez"), await status("/readyz")]).toEqual([200, 503]);
  ready = true;
  expect([await status("/livez"), await status("/readyz")]).toEqual([200, 200]);
  expect([await status("/"), await status("/readyz", "POST")]).toEqual([404, 404]);
  await expect(serveProbes(address, () => true)).rejects.toThrow("EADDRINUSE");
  server.close().closeAllConnections();
});
