import { connect, createServer, type Server, type Socket } from "node:net";
import { Client } from "@temporalio/client";
import { createApp } from "../../api/app.ts";
import { watchDependencies } from "../../api/http/dependencies.ts";
import { createMetrics } from "../../api/http/metrics.ts";
import { freePort } from "../../scripts/ports.ts";
import { connectDatabase, REQUEST_MS } from "../../store/postgres/connect.ts";
import { connectRedis } from "../../store/redis/connect.ts";
import { connectTemporal } from "../../temporal/connection.ts";
import { createFlows } from "../../temporal/flows.ts";
import { checkedClient, type Stack } from "./stack.ts";

/** A network connection to a server that a test can break: a TCP proxy. */
export type Link = {
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps every connection open and accepts new ones, but forwards nothing. */
  silence(): Promise<void>;
  mend(): Promise<void>;
};

/** A second gateway over the stack's stores and Temporal, each behind its own link. */
export async function gatewayBehindLinks({ deps, temporal, document, logged }: Stack) {
  const { DATABASE_URL, REDIS_URL } = deps.config;
  const links = {
    postgresql: await linkTo(new URL(DATABASE_URL)),
    redis: await linkTo(new URL(REDIS_URL)),
    temporal: await linkTo(new URL(`grpc://${temporal.address}`)),
  };
  const database = connectDatabase(through(DATABASE_URL, links.postgresql), {
    patienceMs: REQUEST_MS,
  });
  const redis = await connectRedis(through(REDIS_URL, links.redis), () => {});
  const connection = connectTemporal({ address: `127.0.0.1:${links.temporal.port}` });
  const flows = createFlows(new Client({ connection, namespace: temporal.namespace }));
  const { db, ping, pool } = database;
  const { registry } = createMetrics({
    ...{ db, pool, redis, config: deps.config, clock: deps.clock },
    dependencies: watchDependencies({ ping, redis, flows }),
  });
  const app = createApp({ ...deps, db, longReads: db, ping, redis, flows });
  return {
    app,
    /** The gateway's metrics, as Prometheus reads them. */
    metrics: () => registry.metrics(),
    api: checkedClient(app, document, logged),
    links,
    async stop() {
      await Promise.all(Object.values(links).map((link) => link.mend()));
      await Promise.all([database.close(), redis.close(), connection.close()]);
      await Promise.all(Object.values(links).map((link) => link.cut()));
    },
  };
}

function through(url: string, { port }: Link): string {
  const linked = new URL(url);
  linked.host = `127.0.0.1:${port}`;
  return linked.href;
}

async function linkTo({ hostname, port }: URL): Promise<Link> {
  const sockets = new Set<Socket>();
  let silent = false;
  let server: Server | undefined;

  const join = (near: Socket) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => void (silent || to.write(bytes)));
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  };
  const listen = async (on: number) => {
    server = createServer(join);
    await new Promise<void>((resolve) => server?.listen(on, "127.0.0.1", resolve));
  };
  const own = await freePort();
  await listen(own);

  return {
    port: own,
    async cut() {
      const closed = new Promise((resolve) => server?.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      server = undefined;
    },
    async silence() {
      silent = true;
    },
    async mend() {
      // Bytes were dropped on these connections, so they cannot be used again.
      if (silent) for (const socket of sockets) socket.destroy();
      silent = false;
      if (!server) await listen(own);
    },
  };
}
