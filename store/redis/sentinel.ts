import { createClient } from "redis";
import { SENTINEL_URL } from "../../settings/redis-urls.ts";
import { firstAttempt } from "./first-attempt.ts";
import { redisOptions } from "./options.ts";
import { watch } from "./watch.ts";

/** How often each Sentinel is asked for the master, in ms. */
const ASK_MS = 500;

/** What a URL says about Sentinels and their master; undefined for another kind of URL. */
export function sentinelsOf(url: string) {
  const [, scheme, username, password, hosts, master, sentinelPassword] =
    SENTINEL_URL.exec(url) ?? [];
  if (!scheme || !hosts || !master) return undefined;
  const decoded = (text?: string) => (text ? decodeURIComponent(text) : undefined);
  return {
    sentinels: hosts.split(",").map((host) => `${scheme}://${host.trim()}`),
    scheme,
    master: decodeURIComponent(master),
    username: decoded(username),
    password: decoded(password),
    sentinelPassword: decoded(sentinelPassword),
  };
}

type Setup = NonNullable<ReturnType<typeof sentinelsOf>>;

type Server = { url: string } & Pick<Setup, "username" | "password">;

function create({ url, username, password }: Server) {
  return createClient({ url, username, password, ...redisOptions });
}

type Master = ReturnType<typeof create>;

/** Where a Sentinel says that the master is. A later fail-over has a greater epoch. */
type Answer = { host: string; port: string; epoch: number };

/**
 * A client of the master that the Sentinels name. It follows a fail-over by itself, and until then
 * commands fail at once. The library's own client of Sentinels lets commands wait for the new master
 * and sends them again, which could count one guess twice.
 */
export async function connectBySentinels(
  setup: Setup,
  onError: (error: Error) => void,
): Promise<Master> {
  const { scheme, username, password } = setup;
  const clientOf = (url: string) => create({ url, username, password });
  // Commands fail as on a closed client until a Sentinel names the master.
  let client = clientOf(setup.sentinels[0] as string);
  let address = "";
  let closed = false;

  const answers = new Map<string, Answer>();
  const follow = async () => {
    const [newest] = [...answers.values()].sort((a, b) => b.epoch - a.epoch);
    if (!newest || closed) return;
    const named = `${scheme}://${newest.host.includes(":") ? `[${newest.host}]` : newest.host}:${newest.port}`;
    if (named === address) return;
    address = named;
    if (client.isOpen) client.destroy();
    client = clientOf(named);
    client.on("error", onError);
    await firstAttempt(client, onError);
  };

  const begin = async (url: string) => {
    const fail = (cause: Error) => onError(new Error(`${url}: ${cause.message}`, { cause }));
    const sentinel = createSentinel(url, setup.sentinelPassword);
    sentinel.on("error", fail);
    await firstAttempt(sentinel, fail);
    const ask = async () => {
      if (closed) return sentinel.destroy();
      try {
        answers.set(url, await masterOf(sentinel, setup.master));
      } catch (error) {
        answers.delete(url);
        // It answers, but knows no such master.
        if (sentinel.isReady) fail(error as Error);
      }
      await follow();
      setTimeout(ask, ASK_MS).unref();
    };
    await ask();
  };
  await Promise.all(setup.sentinels.map(begin));
  watch(() => (closed ? undefined : [client]), onError);

  const ends = {
    close: async () => {
      closed = true;
      if (client.isOpen) await client.close();
    },
    destroy: () => {
      closed = true;
      if (client.isOpen) client.destroy();
    },
  };
  return new Proxy({} as Master, {
    get(_target, name) {
      if (name in ends) return ends[name as keyof typeof ends];
      const member = Reflect.get(client, name);
      return typeof member === "function" ? member.bind(client) : member;
    },
  });
}

function createSentinel(url: string, password?: string) {
  const { scripts, commandOptions, ...options } = redisOptions;
  const socket = { ...options.socket, reconnectStrategy: 1_000 };
  return createClient({ url, password, ...options, socket });
}

async function masterOf(sentinel: ReturnType<typeof createSentinel>, name: string) {
  const found = await sentinel.sendCommand<Record<string, string>>(["SENTINEL", "MASTER", name]);
  const { ip: host = "", port = "", "config-epoch": epoch } = found;
  return { host, port, epoch: Number(epoch) };
}
