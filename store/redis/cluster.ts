import { createCluster } from "redis";
import { redisOptions } from "./options.ts";
import { watch } from "./watch.ts";

const RECONNECT_MS = 250;

/** `redis+cluster://[user:password@]host:port[,host:port...]`, `rediss+cluster` over TLS. */
const CLUSTER_URL = /^(rediss?)\+cluster:\/\/(?:([^:@/]*):([^@/]*)@)?([^@/]+)$/;

/** Some nodes of a cluster by whom the others are found; undefined for another kind of URL. */
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
    // A node that is away is waited for by who needs it, not by all.
    minimizeConnections: true,
    topologyRefreshOnReconnectionAttemptStrategy: 1_000,
  });
}

type Cluster = ReturnType<typeof create>;

/**
 * A client of the whole cluster: each command goes to the node of its keys. It looks for the cluster
 * for ever, loses only the commands to a node that is away, and follows when another takes its place.
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

/** The connections to ask. A first one that has not come about since this was last called is given up. */
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
