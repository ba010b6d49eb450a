import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { vi } from "vitest";

/** One request to a receiver, as it came. */
export type Received = { path: string; headers: Record<string, string>; body: string };

/** A webhook receiver on a real local port: records requests, answers as a test says. */
export async function startReceiver() {
  const received: Received[] = [];
  let answer: { status: number; headers?: Record<string, string> } = { status: 204 };
  let unanswered: ServerResponse[] = [];
  let mostWaiting = 0;
  // Status 0 means: do not answer at all.
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
      response.on("close", () => {
        unanswered = unanswered.filter((other) => other !== response);
      });
      mostWaiting = Math.max(mostWaiting, unanswered.length);
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
    /** How many requests have no answer yet. */
    waiting: () => unanswered.length,
    /** The most that had no answer at a time. */
    mostWaiting: () => mostWaiting,
    /** Sets the answer to all later requests, and to those that still wait for one. */
    answers(status: number, headers?: Record<string, string>) {
      answer = { status, headers };
      answerAll();
    },
    /** Stops listening until `up`. */
    down: close,
    up: () => listen(port),
    stop: close,
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/**
 * Verifies a request as receivers do; throws if the signature is wrong or old. The package reads
 * the machine's clock, so that clock is faked to `now`, the test's time.
 */
export function verified<Payload>({ body, headers }: Received, secret: string, now: number) {
  vi.useFakeTimers({ toFake: ["Date"], now });
  try {
    return new Webhook(secret).verify(body, headers) as Payload;
  } finally {
    vi.useRealTimers();
  }
}
