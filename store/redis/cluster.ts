import { createCluster } from "redis";
import { CLUSTER_URL } from "../../settings/redis-urls.ts";
import { redisOptions } from "./options.ts";
import { watch } from "./watch.ts";

const RECONNECT_MS = 250;

/**
 * The cluster's seed nodes, from which the client finds the others; undefined for another kind of
 * URL.
 */
export function clusterOf(url: string) {
  const [, scheme, username, password, hosts] = CLUSTER_URL.exec(url) ?? [];
  if (!scheme || !hosts) return undefined;
  const nodes = hosts.split(",").map((host) => ({ url: `${scheme}://${host.trim()}` }));
  const decoded = (text?: string) => (text ? decodeURIComponent(text) : undefined);
  return {
    nodes,
    tls: scheme === "rediss",
    username: decoded(username),
    password: decoded(password),
  };
}

type Seeds = NonNullable<ReturnType<typeof clusterOf>>;

function create({ nodes, tls, username, password }: Seeds) {
  const { scripts, commandOptions, ...defaults } = redisOptions;
  const socket = tls ? { ...defaults.socket, tls: true as const } : defaults.socket;
  return createCluster({
    rootNodes: nodes,
    scripts,
    commandOptions,
    defaults: { ...defaults, socket, username, password },
    // Connecting only reads the topology, so a node that is down delays only the commands that need
    // it.
    minimizeConnections: true,
    topologyRefreshOnReconnectionAttemptStrategy: 1_000,
  });
}

type Cluster = ReturnType<typeof create>;

/**
 * A client of the whole cluster; each command goes to the node of its keys. It tries to reconnect
 * for ever. When a node is down it loses only that node's commands, and it follows a failover.
 */
export async function connectCluster(
  seeds: Seeds,
  onError: (error: Error) => void,
): Promise<Cluster> {
  const cluster = create(seeds);
  cluster.on("error", onError).on("node-error", onError);
  let closed = false;
  cluster.once("disconnect", () => {
    closed = true;
  });
  const find = () =>
    cluster.connect().then(
      () => {},
      () => {
        if (!closed) setTimeout(find, RECONNECT_MS).unref();
      },
    );
  await find();
  const awaited = new WeakSet<Promise<unknown>>();
  watch(() => (closed ? undefined : connectionsOf(cluster, awaited)), onError);
  return cluster;
}

/**
 * The connections to ping. A first connection that has been pending since the previous call is
 * destroyed.
 */
function connectionsOf({ masters }: Cluster, awaited: WeakSet<Promise<unknown>>) {
  for (const { client, connectPromise } of masters) {
    if (!connectPromise) continue;
    if (awaited.has(connectPromise)) client?.destroy();
    awaited.add(connectPromise);
  }
  return masters.flatMap(({ client, connectPromise }) =>
    client && !connectPromise ? [client] : [],
  );
}
