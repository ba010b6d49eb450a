import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { freePort } from "../../scripts/ports.ts";
import { type Child, type Launch, launch } from "../../scripts/processes.ts";
import { startRedis } from "../../scripts/redis.ts";
import { ensureRedis } from "../../scripts/redis-program.ts";
import { until } from "./until.ts";

const SLOTS = 16_384;
const NODES = [0, 1, 2];

/**
 * A Redis Cluster of three nodes without replicas. Each node is a process of its own that a test
 * can kill, pause and start again on its data. Call `stop()` at the end.
 */
export async function startRedisCluster() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-cluster-"));
  const program = await ensureRedis(() => {});
  const password = randomBytes(24).toString("base64url");
  const nodes = await Promise.all(
    NODES.map(async (index) => {
      const [port, busPort] = [await freePort(), await freePort()];
      let child: Child | undefined;
      const keeping: Launch = (options) => {
        child = launch(options);
        return child;
      };
      const name = `node-${index}`;
      const start = () =>
        startRedis(keeping, {
          ...{ program, folder: join(folder, name), port, password, fsync: "always" },
          logFile: join(folder, "logs", `${name}.log`),
          more: ["cluster-enabled yes", `cluster-port ${busPort}`, "cluster-node-timeout 2000"],
        });
      const kill = async () => {
        child?.kill();
        await child?.exited;
      };
      const signal = (name: "SIGSTOP" | "SIGCONT") => child && process.kill(child.pid, name);
      return { port, busPort, start, kill, signal };
    }),
  );
  const urls = await Promise.all(nodes.map(({ start }) => start()));
  const clients = await Promise.all(
    urls.map((url) =>
      createClient({ url })
        .on("error", () => {})
        .connect(),
    ),
  );
  const share = (index: number) => String(Math.floor((SLOTS * index) / NODES.length));
  const [first] = nodes;
  for (const [index, client] of clients.entries()) {
    const range = [share(index), String(Number(share(index + 1)) - 1)];
    await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", ...range]);
    await client.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)]);
    if (first && index > 0)
      await client.sendCommand([
        ...["CLUSTER", "MEET", "127.0.0.1"],
        ...[String(first.port), String(first.busPort)],
      ]);
  }
  for (const client of clients)
    await until(
      () => client.sendCommand(["CLUSTER", "INFO"]),
      (info) => /cluster_state:ok.*cluster_known_nodes:3\b/s.test(String(info)),
    );
  for (const client of clients) client.destroy();

  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+cluster://:${password}@${hosts}`,
    /** The URL of each single node. */
    urls,
    nodes,
    async stop() {
      for (const { kill } of nodes) await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type RedisCluster = Awaited<ReturnType<typeof startRedisCluster>>;
