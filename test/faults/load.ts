import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type ApiClient, createClient } from "../support/client.ts";

const GIVE_UP_MS = 10_000;
const PAUSE_MS = 100;

/** A request that clients repeat, and its right statuses while nothing is down. */
export type Probe = {
  name: string;
  call(api: ApiClient): Promise<Answer<unknown>>;
  right: readonly number[];
  /** Stops after this many right answers: each spends something. */
  most?: number;
  /** Stops after this many refusals: an outage gives only so many attempts back. */
  mostRefused?: number;
};

export type Call = {
  probe: string;
  status: number;
  right: boolean;
  ms: number;
  retryAfter: boolean;
};

/** A client of one gateway that sends each request once and waits for its answer. */
export function singleTryClient(url: string, address: string): ApiClient {
  return createClient((path, init) => {
    const headers = { ...(init.headers as Record<string, string>), "x-forwarded-for": address };
    return fetch(`${url}${path}`, { ...init, headers, signal: AbortSignal.timeout(GIVE_UP_MS) });
  });
}

/** One client for each probe and gateway repeats its call until `stop`, which returns all calls. */
export function startLoad(urls: readonly string[], probes: readonly Probe[]) {
  const calls: Call[] = [];
  let stopping = false;
  const count = ({ name }: Probe, right: boolean) =>
    calls.filter((call) => call.probe === name && call.right === right).length;
  const goesOn = (probe: Probe) =>
    count(probe, true) < (probe.most ?? Number.POSITIVE_INFINITY) &&
    count(probe, false) < (probe.mostRefused ?? Number.POSITIVE_INFINITY);
  const clients = probes.flatMap((probe, index) =>
    urls.map(async (url, gateway) => {
      const api = singleTryClient(url, `192.0.2.${index * urls.length + gateway + 1}`);
      while (!stopping && goesOn(probe)) {
        const begun = performance.now();
        const answer = await probe.call(api);
        const ms = performance.now() - begun;
        const { status } = answer;
        const retryAfter = Number(answer.headers.get("retry-after")) > 0;
        const right = probe.right.includes(status);
        calls.push({ probe: probe.name, status, right, ms, retryAfter });
        await sleep(PAUSE_MS);
      }
    }),
  );
  return {
    calls,
    async stop(): Promise<Call[]> {
      stopping = true;
      await Promise.all(clients);
      return calls;
    },
  };
}
