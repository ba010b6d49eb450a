import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { vi } from "vitest";

/** What a receiver was sent, as it came. */
export type Received = { path: string; headers: Record<string, string>; body: string };

/** A webhook's receiver on a real port of this machine: remembers what comes, answers as it is told. */
export async function startReceiver() {
  const received: Received[] = [];
  let answer: { status: number; headers?: Record<string, string> } = { status: 204 };
  let unanswered: ServerResponse[] = [];
  // No answer at all for 0.
  const answerAll = () => {
    if (answer.status === 0) return;
    for (const response of unanswered) response.writeHead(answer.status, answer.headers).end();
    unanswered = [];
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      received.push({ path: request.url ?? "", headers, body });
      unanswered.push(response);
      answerAll();
    });
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const port = await listen(0);

  return {
    url: `http://127.0.0.1:${port}/hooks`,
    port,
    received,
    /** How everything is answered from now on, and what waits for an answer. */
    answers(status: number, headers?: Record<string, string>) {
      answer = { status, headers };
      answerAll();
    },
    /** Nobody listens any more, until `up`. */
    down: close,
    up: () => listen(port),
    stop: close,
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/**
 * Verifies what came, as receivers do; throws where the signature is wrong or old. It is read at
 * `now`: the clocks of tests are not the machine's, which the package goes by.
 */
export function verified<Payload>({ body, headers }: Received, secret: string, now: number) {
  vi.useFakeTimers({ toFake: ["Date"], now });
  try {
    return new Webhook(secret).verify(body, headers) as Payload;
  } finally {
    vi.useRealTimers();
  }
}
