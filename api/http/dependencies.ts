import { setTimeout } from "node:timers/promises";
import type { CoreDeps } from "../../core/deps.ts";

/** In ms. A dependency that takes longer to answer counts as away. */
const ANSWER_MS = 1500;

/** In ms. Callers within this time share one answer, so that many calls cost no more than a few. */
const SHARED_MS = 1000;

/** Whether each dependency answers. */
export type Dependencies = { postgresql: boolean; redis: boolean; temporal: boolean };

/** Asks PostgreSQL, Redis and Temporal whether they answer, at most once a second. Never throws. */
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
  let last: { at: number; answer: Promise<Dependencies> } | undefined;
  return (): Promise<Dependencies> => {
    const now = performance.now();
    if (last === undefined || now - last.at > SHARED_MS) last = { at: now, answer: ask() };
    return last.answer;
  };
}

async function answersInTime(check: Promise<unknown>): Promise<boolean> {
  const answered = check.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, setTimeout(ANSWER_MS, false, { ref: false })]);
}
