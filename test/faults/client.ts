import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../support/client.ts";

const ANSWER_MS = 5_000;
const AGAIN_MS = 200;
const PATIENCE_MS = 180_000;

/**
 * A client that retries as it should: it sends an unanswered request again to the next gateway, and
 * a POST with the same Idempotency-Key. Throws after three minutes without an answer, or on a 500.
 */
export function persistentClient(urls: readonly string[], address: string) {
  let turn = 0;
  /** The outcome of each try of the last request. */
  let tries: string[] = [];

  const once = async (path: string, init: RequestInit) => {
    try {
      const url = `${urls[turn++ % urls.length]}${path}`;
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
      return { response, text: await response.text() };
    } catch {
      // The connection was refused or cut off, or no answer came in time.
      return undefined;
    }
  };

  const send = async (path: string, init: RequestInit) => {
    const headers = {
      ...(init.headers as Record<string, string>),
      ...(init.method === "POST" && { "idempotency-key": randomUUID() }),
      "x-forwarded-for": address,
    };
    const end = performance.now() + PATIENCE_MS;
    for (tries = []; ; ) {
      const answer = await once(path, { ...init, headers });
      tries.push(answer ? `${answer.response.status} ${answer.text}` : "none");
      if (answer && isFinal(answer.response.status, answer.text)) {
        const { status, headers: received } = answer.response;
        if (status === 500) throw new Error(`${init.method} ${path} answered ${answer.text}`);
        return new Response(answer.text || null, { status, headers: received });
      }
      if (performance.now() > end)
        throw new Error(`${init.method} ${path} was not answered: ${tally(tries)}`);
      await sleep(AGAIN_MS);
    }
  };

  return {
    api: createClient(send),
    /** Whether the last request was sent more than once; an earlier try may have taken effect. */
    repeated: () => tries.length > 1,
    /** The outcomes of its tries, counted. */
    tries: () => tally(tries),
  };
}

export type PersistentClient = ReturnType<typeof persistentClient>;

function isFinal(status: number, text: string): boolean {
  return status !== 503 && !text.includes('"request_in_progress"');
}

function tally(tries: readonly string[]): string {
  const kinds = [...new Set(tries)];
  return kinds
    .map((kind) => `${tries.filter((each) => each === kind).length} x ${kind}`)
    .join("; ");
}
