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
const MASTERS = [0, 1, 2];

/**
 * A Redis Cluster of three nodes, with a replica for each if wanted. Each node is a process of its
 * own that a test can kill, pause and start again on its data. Call `stop()` at the end.
 */
export async function startRedisCluster({ replicas = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-cluster-"));
  const program = await ensureRedis(() => {});
  const password = randomBytes(24).toString("base64url");
  const nodes = await Promise.all(
    [...MASTERS, ...(replicas ? [3, 4, 5] : [])].map(async (index) => {
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
          more: [
            ...["cluster-enabled yes", `cluster-port ${busPort}`, "cluster-node-timeout 2000"],
            `masterauth ${password}`,
          ],
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
  const share = (index: number) => String(Math.floor((SLOTS * index) / MASTERS.length));
  const [first] = nodes;
  for (const [index, client] of clients.entries()) {
    const range = [share(index), String(Number(share(index + 1)) - 1)];
    if (MASTERS.includes(index)) await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", ...range]);
    await client.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)]);
    if (first && index > 0)
      await client.sendCommand([
        ...["CLUSTER", "MEET", "127.0.0.1"],
        ...[String(first.port), String(first.busPort)],
      ]);
  }
  const known = new RegExp(`cluster_state:ok.*cluster_known_nodes:${nodes.length}\\b`, "s");
  for (const client of clients)
    await until(
      () => client.sendCommand(["CLUSTER", "INFO"]),
      (info) => known.test(String(info)),
    );
  for (const client of clients.slice(MASTERS.length)) {
    const master = clients[clients.indexOf(client) - MASTERS.length];
    const id = await master?.sendCommand(["CLUSTER", "MYID"]);
    await client.sendCommand(["CLUSTER", "REPLICATE", String(id)]);
    await until(
      () => client.sendCommand(["INFO", "replication"]),
      (info) => String(info).includes("master_link_status:up"),
    );
  }
  for (const client of clients) client.destroy();

  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+cluster://:${password}@${hosts}`,
    /** The URL of each single node. */
    urls,
    nodes,
    /** Waits until the replicas have every write. */
    async replicated() {
      for (const url of urls.slice(0, MASTERS.length)) {
        const client = await createClient({ url }).connect();
        await client.sendCommand(["WAIT", "1", "0"]);
        client.destroy();
      }
    },
    /** Those users whose keys the first node has. */
    async onMaster(userIds: string[]) {
      const client = await createClient({ url: urls[0] }).connect();
      const slots = await Promise.all(
        userIds.map((id) => client.sendCommand(["CLUSTER", "KEYSLOT", `{${id}}`])),
      );
      client.destroy();
      return userIds.filter((_, n) => Number(slots[n]) < Number(share(1)));
    },
    /** Whether the first node has become a replica. */
    async isDemoted() {
      const client = await createClient({ url: urls[0] }).connect();
      const info = await client.sendCommand(["INFO", "replication"]);
      client.destroy();
      return /role:slave[\s\S]*master_link_status:up/.test(String(info));
    },
    async stop() {
      for (const { kill } of nodes) await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type RedisCluster = Awaited<ReturnType<typeof startRedisCluster>>;
