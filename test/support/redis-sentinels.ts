import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { freePort } from "../../scripts/ports.ts";
import { type Child, type Launch, launch } from "../../scripts/processes.ts";
import { pingRedis, startRedis } from "../../scripts/redis.ts";
import { ensureRedis } from "../../scripts/redis-program.ts";
import { until } from "./until.ts";

const MASTER = "second-step";
/** How long a server is silent before a Sentinel calls it down, in ms. */
const DOWN_MS = 2_000;

/**
 * A Redis with one replica, and three Sentinels that watch both. Servers and Sentinels have
 * different passwords. Call `stop()` at the end.
 */
export async function startRedisSentinels() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-sentinels-"));
  const program = await ensureRedis(() => {});
  const [password, sentinelPassword] = [newPassword(), newPassword()];
  const [masterPort, replicaPort] = [await freePort(), await freePort()];

  const server = (name: string, port: number, more: string[]) => {
    let child: Child | undefined;
    const keeping: Launch = (options) => {
      child = launch(options);
      return child;
    };
    return {
      port,
      start: () =>
        startRedis(keeping, {
          ...{ program, folder: join(folder, name), port, password },
          logFile: join(folder, "logs", `${name}.log`),
          more: [`masterauth ${password}`, ...more],
        }),
      kill: async () => {
        child?.kill();
        await child?.exited;
      },
      signal: (name: "SIGSTOP" | "SIGCONT") => child && process.kill(child.pid, name),
    };
  };
  const master = server("master", masterPort, []);
  const replica = server("replica", replicaPort, [`replicaof 127.0.0.1 ${masterPort}`]);
  const urls = [await master.start(), await replica.start()];
  const ask = async (url: string, command: string[]) => {
    const client = createClient({ url }).on("error", () => {});
    await client.connect();
    return client.sendCommand(command).finally(() => client.destroy());
  };
  const isReplica = async (index: 0 | 1) => {
    const info = await ask(urls[index] as string, ["INFO", "replication"]).catch(() => "");
    return /role:slave[\s\S]*master_link_status:up/.test(String(info));
  };
  await until(() => isReplica(1), Boolean);

  const sentinels = await Promise.all(
    [1, 2, 3].map(async (number) => {
      const port = await freePort();
      const own = join(folder, `sentinel-${number}`);
      mkdirSync(own);
      const file = join(own, "sentinel.conf");
      const lines = [
        ...["bind 127.0.0.1", `port ${port}`, `dir ${own}`, `requirepass ${sentinelPassword}`],
        `sentinel sentinel-pass ${sentinelPassword}`,
        `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
        `sentinel auth-pass ${MASTER} ${password}`,
        `sentinel down-after-milliseconds ${MASTER} ${DOWN_MS}`,
        `sentinel failover-timeout ${MASTER} 10000`,
      ];
      // A Sentinel writes what it learns into its file.
      writeFileSync(file, lines.join("\n"), { mode: 0o600 });
      let child: Child | undefined;
      const start = () => {
        const logFile = join(folder, "logs", `sentinel-${number}.log`);
        child = launch({ name: "Sentinel", program, args: [file, "--sentinel"], logFile });
      };
      const kill = async () => {
        child?.kill();
        await child?.exited;
      };
      start();
      return { port, start, kill };
    }),
  );
  for (const { port } of sentinels) {
    const url = `redis://:${sentinelPassword}@127.0.0.1:${port}`;
    await until(
      () =>
        pingRedis(url).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    const knows = async () => {
      const info = await ask(url, ["INFO", "sentinel"]);
      return /status=ok,.*slaves=1,sentinels=3/.test(String(info));
    };
    await until(knows, Boolean);
  }

  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis+sentinel://:${password}@${hosts}/${MASTER}?sentinelPassword=${sentinelPassword}`,
    master,
    sentinels,
    /** Waits until the replica has every write. */
    replicated: async () => void (await ask(urls[0] as string, ["WAIT", "1", "0"])),
    /** Whether the first master has become a replica. */
    isDemoted: () => isReplica(0),
    async stop() {
      for (const { kill } of [...sentinels, master, replica]) await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const newPassword = () => randomBytes(24).toString("base64url");

export type RedisSentinels = Awaited<ReturnType<typeof startRedisSentinels>>;
