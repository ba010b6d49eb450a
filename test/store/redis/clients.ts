import { afterAll, inject } from "vitest";
import { newId } from "../../../store/ids.ts";
import { connectRedis, type Redis } from "../../../store/redis/connect.ts";

/** The time of these tests: the clock stands still, and a test adds what it needs. */
export const NOW = Date.UTC(2026, 0, 1);

/** Two clients of the real Redis, like two instances of the service; closed after the file. */
export async function twoClients(): Promise<[Redis, Redis]> {
  const connect = () => connectRedis(inject("redisUrl"), () => {});
  const clients: [Redis, Redis] = [await connect(), await connect()];
  afterAll(() => Promise.all(clients.map((client) => client.close())));
  return clients;
}

/** Runs the calls at once, alternating between the clients. */
export function burst<T>(
  clients: readonly Redis[],
  times: number,
  call: (redis: Redis, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: times }, (_, index) =>
      call(clients[index % clients.length] as Redis, index),
    ),
  );
}

/** How often each value occurs. */
export function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** The ids of a new user. */
export const newUser = () => ({ userId: newId(), accountId: newId() });
