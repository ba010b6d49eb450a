import { Gauge, type Registry } from "prom-client";
import type { CoreDeps } from "../../core/deps.ts";
import { usedSendBudgets } from "../../core/limits/send-budgets.ts";
import { passwordsWaiting } from "../../store/passwords.ts";
import { oldestUnchained } from "../../store/postgres/events/event-chain.ts";
import { queuedEvents } from "../../store/postgres/events/event-queue.ts";
import { newestGeneration } from "../../store/postgres/known-redis.ts";
import { redisMemory } from "../../store/redis/memory.ts";
import { NO_BUILD } from "../../telemetry/build.ts";
import { certificates } from "../../telemetry/certificates.ts";
import type { PoolUse } from "../../telemetry/pool-use.ts";
import { sharedReading } from "../../telemetry/reading.ts";
import type { Dependencies } from "./dependencies.ts";

export type GaugeDeps = Pick<CoreDeps, "db" | "redis" | "config" | "clock"> & {
  dependencies: () => Promise<Dependencies>;
  /** The use of the pool of connections that requests wait for. */
  pool: () => PoolUse;
};

/** Longer than a dependency may take to answer. */
const DEPENDENCIES_MS = 2_000;

/** What is known of the queue while PostgreSQL is away. */
const UNKNOWN = { waiting: Number.NaN, oldest: new Date(Number.NaN) };

/**
 * Adds what is measured when Prometheus reads. Stores are asked at most once in five seconds, and a
 * store that hangs delays the answer by two seconds at most.
 */
export function addGauges(registry: Registry, { db, dependencies, pool, ...deps }: GaugeDeps) {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    collect: (gauge: Gauge<L>) => void | Promise<void>,
  ) =>
    new Gauge({
      name: `second_step_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        return collect(this);
      },
    });

  const { WORKER_BUILD_ID: build = NO_BUILD } = deps.config;
  gauge("build_info", "Always 1; the build of this process", ["build"], (gauge) =>
    gauge.set({ build }, 1),
  );

  const secondsSince = (at?: Date) =>
    at ? Math.max(0, deps.clock.now() - at.getTime()) / 1000 : 0;
  const queue = sharedReading(() => queuedEvents(db), { otherwise: UNKNOWN });
  gauge(
    "events_waiting",
    "Audit events that no worker has passed on yet; NaN while PostgreSQL is away",
    [],
    async (gauge) => gauge.set((await queue()).waiting),
  );
  gauge(
    "oldest_event_waiting_seconds",
    "How long the oldest of them waits, 0 if none does; NaN while PostgreSQL is away",
    [],
    async (gauge) => gauge.set(secondsSince((await queue()).oldest)),
  );
  const unchained = sharedReading(() => oldestUnchained(db), { otherwise: UNKNOWN.oldest });
  gauge(
    "oldest_unchained_event_seconds",
    "How old the oldest event is that is in no chain yet, 0 if none is; NaN while PostgreSQL is away",
    [],
    async (gauge) => gauge.set(secondsSince(await unchained())),
  );
  const generation = sharedReading(() => newestGeneration(db), { otherwise: undefined });
  gauge(
    "redis_generation_begun_timestamp_seconds",
    "When everybody had to log in again because Redis was empty, older or another one, in Unix time",
    ["cause"],
    async (gauge) => {
      const newest = await generation();
      gauge.reset();
      if (newest) gauge.set({ cause: newest.cause }, newest.begunAt.getTime() / 1000);
    },
  );

  const answers = sharedReading<Partial<Dependencies>>(dependencies, {
    otherwise: {},
    patienceMs: DEPENDENCIES_MS,
  });
  gauge(
    "dependency_up",
    "1 if the dependency answers this gateway, else 0",
    ["dependency"],
    async (gauge) => {
      for (const [dependency, up] of Object.entries(await answers()))
        gauge.set({ dependency }, Number(up));
    },
  );

  const budgets = sharedReading(() => usedSendBudgets(deps), { otherwise: [] });
  gauge(
    "send_budget_used_ratio",
    "Messages of the last hour, of those that SMS_PER_HOUR and SMS_PER_COUNTRY_AND_HOUR allow",
    ["limit", "country"],
    async (gauge) => {
      const uses = await budgets();
      gauge.reset();
      for (const { ratio, ...labels } of uses) gauge.set(labels, ratio);
    },
  );

  const memory = sharedReading(() => redisMemory(deps.redis), { otherwise: [] });
  for (const [name, field, help] of [
    ["redis_memory_used_bytes", "used", "Memory that a Redis server uses"],
    ["redis_memory_max_bytes", "max", "Its maxmemory, or the machine's memory without one"],
  ] as const)
    gauge(name, help, ["node"], async (gauge) => {
      const nodes = await memory();
      gauge.reset();
      for (const { node, [field]: bytes } of nodes) gauge.set({ node }, bytes);
    });

  gauge("database_pool_size", "The most connections to PostgreSQL for requests", [], (gauge) =>
    gauge.set(pool().size),
  );
  gauge("database_pool_used", "Connections to PostgreSQL that work now", [], (gauge) =>
    gauge.set(pool().used),
  );
  gauge("database_pool_waiting", "Queries that wait for a connection", [], (gauge) =>
    gauge.set(pool().waiting),
  );
  gauge("passwords_waiting", "Passwords that wait for their turn to be hashed", [], (gauge) =>
    gauge.set(passwordsWaiting()),
  );
  gauge(
    "certificate_expiry_seconds",
    "Until the certificate expires; negative afterwards",
    ["certificate"],
    (gauge) => {
      for (const { seconds, ...labels } of certificates(deps.clock.now()))
        gauge.set(labels, seconds);
    },
  );
}
