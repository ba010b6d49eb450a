import { connect, type Socket } from "node:net";

type Sent = { body?: object; token?: string; from?: string };
type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void };
type Answer = { status: number; text: string };

const END_OF_HEAD = "\r\n\r\n";

/**
 * Sends requests to these gateways in turn, over kept connections with one request at a time.
 * Node's own client costs more than a session check, so it would be measured instead.
 */
export function newClient(origins: string[]) {
  const gateways = origins.map((origin) => ({ url: new URL(origin), idle: [] as Connection[] }));
  let turn = 0;

  /** Throws an Error with status and code unless the request succeeds. */
  return async function call<T>(method: string, path: string, sent: Sent = {}): Promise<T> {
    const gateway = gateways[turn++ % gateways.length] as (typeof gateways)[number];
    let connection = gateway.idle.pop();
    while (connection?.closed()) connection = gateway.idle.pop();
    connection ??= open(gateway.url);
    const { status, text } = await connection.ask(write(method, path, gateway.url.host, sent));
    gateway.idle.push(connection);
    const answer = text === "" ? undefined : JSON.parse(text);
    if (status < 300) return answer;
    throw new Error(`${method} ${shapeOf(path)} ${status} ${answer?.code}`);
  };
}

export type Call = ReturnType<typeof newClient>;

/** The path without IDs, so that errors of the same kind are counted together. */
const shapeOf = (path: string) => path.replaceAll(/[0-9a-f]{32,}/g, "{id}");

function write(method: string, path: string, host: string, { body, token, from }: Sent): string {
  const text = body === undefined ? "" : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`];
  if (token) lines.push(`authorization: Bearer ${token}`);
  if (from) lines.push(`x-forwarded-for: ${from}`);
  if (body) lines.push("content-type: application/json");
  if (method !== "GET") lines.push(`content-length: ${Buffer.byteLength(text)}`);
  return `${lines.join("\r\n")}${END_OF_HEAD}${text}`;
}

type Connection = ReturnType<typeof open>;

function open({ hostname, port }: URL) {
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let waiting: Waiting | undefined;
  let received = "";
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  // One character a byte, as `content-length` counts.
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
    const answer = read(received);
    if (!answer) return;
    received = "";
    waiting?.resolve(answer);
    waiting = undefined;
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("The connection was closed")));
  return {
    closed: () => socket.destroyed || socket.readableEnded,
    ask: (request: string) =>
      new Promise<Answer>((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
  };
}

/** The answer, once it has arrived completely. */
function read(received: string): Answer | undefined {
  const end = received.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const status = Number(received.slice(9, 12));
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, end))?.[1];
  if (length === undefined && status !== 204) throw new Error("An answer without its length");
  const body = received.slice(end + END_OF_HEAD.length);
  if (body.length < Number(length ?? 0)) return undefined;
  return { status, text: Buffer.from(body, "latin1").toString() };
}
