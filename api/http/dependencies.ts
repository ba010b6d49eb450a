import { setTimeout } from "node:timers/promises";
import type { CoreDeps } from "../../core/deps.ts";

/** In ms. A dependency that takes longer to answer counts as away. */
const ANSWER_MS = 1500;

/** Whether each dependency answers. */
export type Dependencies = { postgresql: boolean; redis: boolean; temporal: boolean };

/**
 * Asks PostgreSQL, Redis and Temporal whether they answer. Callers at the same time share one answer,
 * so that many calls cost no more than a few. Never throws.
 */
export function watchDependencies({
  ping,
  redis,
  flows,
}: Pick<CoreDeps, "ping" | "redis" | "flows">) {
  const ask = async (): Promise<Dependencies> => {
    const checks = [ping(), redis.ping(), flows.ping()] as const;
    const [postgresql, redisAnswers, temporal] = await Promise.all(checks.map(answersInTime));
    return { postgresql, redis: redisAnswers, temporal } as Dependencies;
  };
  let asking: Promise<Dependencies> | undefined;
  return (): Promise<Dependencies> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function answersInTime(check: Promise<unknown>): Promise<boolean> {
  const answered = check.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, setTimeout(ANSWER_MS, false, { ref: false })]);
}
