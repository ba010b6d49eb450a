// I have one laptop. I open hundreds of connections, send a byte now and then or nothing, and never
// finish. I hope that the service waits for me and has no time for others.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startGateway } from "../support/gateway.ts";
import { limit } from "../support/limits.ts";
import { used, useStack } from "../support/used.ts";
import { httpRequest } from "../support/wire.ts";

/** Connections of each kind. */
const CONNECTIONS = 60;
const TRICKLE_MS = 500;
/** ms. Far longer than a slow honest client needs, and far shorter than an attacker can wait. */
const GIVEN_UP_MS = limit(60_000);

const stack = useStack();
const gateway = used(() => startGateway(stack), limit(120_000));

/** Opens CONNECTIONS connections that send `begin`, and then `bytes` again and again. */
async function slowly(begin: string, bytes: string) {
  const sockets = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => opened(gateway.port)),
  );
  for (const socket of sockets) socket.write(begin);
  const trickle = setInterval(() => {
    for (const socket of sockets) if (bytes && socket.writable) socket.write(bytes);
  }, TRICKLE_MS);
  return {
    open: () => sockets.filter(({ destroyed }) => !destroyed).length,
    stop() {
      clearInterval(trickle);
      for (const socket of sockets) socket.destroy();
    },
  };
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => {});
    socket.resume();
  });
}

async function served(): Promise<number> {
  const body = JSON.stringify({ username: "nobody", password: "x" });
  const headers = { "content-type": "application/json", connection: "close" };
  return (await fetch(`${gateway.url}/v1/login`, { method: "POST", headers, body })).status;
}

const login = "POST /v1/login HTTP/1.1";
const json = "Content-Type: application/json";
const attacks: [name: string, begin: string, bytes: string][] = [
  ["nothing at all", "", ""],
  ["headers without end", "GET /v1/session HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"],
  ["a body without end", `${httpRequest(login, [json, "Content-Length: 60000"])}{`, " "],
  ["chunks without end", httpRequest(login, [json, "Transfer-Encoding: chunked"]), "1\r\n \r\n"],
  ["a form without end", httpRequest("POST /login HTTP/1.1", ["Content-Length: 60000"]), "a"],
];

test(
  "attack: three hundred clients that never finish keep nobody waiting, and are disconnected",
  async () => {
    const slow = await Promise.all(attacks.map(([, begin, bytes]) => slowly(begin, bytes)));
    const open = () => Object.fromEntries(attacks.map(([name], n) => [name, slow[n]?.open()]));
    try {
      for (let n = 0; n < 5; n++) expect([401, 429]).toContain(await served());
      const end = performance.now() + GIVEN_UP_MS;
      while (Object.values(open()).some(Boolean) && performance.now() < end)
        await sleep(TRICKLE_MS);
      expect(open()).toEqual(Object.fromEntries(attacks.map(([name]) => [name, 0])));
      expect([401, 429]).toContain(await served());
    } finally {
      for (const attack of slow) attack.stop();
    }
  },
  GIVEN_UP_MS * 2,
);

test(
  "attack: a client that never finishes does not keep the gateway from stopping",
  async () => {
    const other = await startGateway(stack);
    const socket = await opened(other.port);
    socket.write(`${httpRequest(login, [json, "Content-Length: 60000"])}{`);
    // This answer shows that the gateway has read what was sent before.
    await fetch(`${other.url}/healthz`, { headers: { connection: "close" } });
    expect(await other.stop()).toBe("exit code 0");
    socket.destroy();
  },
  limit(90_000),
);
