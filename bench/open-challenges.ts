import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@temporalio/client";
import { newId, newOwnedId } from "../store/ids.ts";
import { connectRedis } from "../store/redis/connect.ts";
import { openChallenge } from "../store/redis/second-step/challenges.ts";
import { connectTemporal } from "../temporal/connection.ts";
import { createFlows } from "../temporal/flows.ts";
import type { BenchStack } from "./stack.ts";

const AT_ONCE = 16;
const TRIES = 20;
const RETRY_MS = 500;
/** In ms: no challenge ends while others are measured. */
const LIFETIME_MS = 24 * 3_600_000;

/**
 * Begins `quantity` login challenges that nobody answers, as the gateway does after the right
 * password.
 */
export async function openChallenges(
  { env, namespace }: BenchStack,
  quantity: number,
): Promise<void> {
  const connection = connectTemporal({ address: env.TEMPORAL_ADDRESS });
  const flows = createFlows(new Client({ connection, namespace }));
  const redis = await connectRedis(env.REDIS_URL, (error) => console.error(error.message));
  const accountId = newId();
  let left = quantity;

  async function one() {
    const userId = newId();
    const challengeId = newOwnedId(userId);
    const owner = { userId, accountId };
    const now = Date.now();
    const epochs = { user: 0, account: 0, accountKeys: 0 };
    await openChallenge(redis, {
      challengeId,
      ...owner,
      epochs,
      hasKey: false,
      expiresAt: now + LIFETIME_MS,
      now,
    });
    const choice = { method: "otp" as const, methods: ["otp" as const], maySend: false };
    const args = { ...owner, challengeId, ...choice, lifetimeMs: LIFETIME_MS };
    for (let tries = 1; ; tries++) {
      try {
        return await flows.startLoginChallenge(args);
      } catch (error) {
        // The server is behind. Beginning the same flow again does not make a second one.
        if (tries === TRIES) throw error;
        await sleep(RETRY_MS);
      }
    }
  }
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await one();
    }),
  );
  await Promise.all([connection.close(), redis.close()]);
}
