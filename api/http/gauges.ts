import { Gauge, type Registry } from "prom-client";
import type { CoreDeps } from "../../core/deps.ts";
import { usedSendBudgets } from "../../core/limits/send-budgets.ts";
import { passwordsWaiting } from "../../store/passwords.ts";
import { type QueuedEvents, queuedEvents } from "../../store/postgres/events/event-queue.ts";
import { redisMemory } from "../../store/redis/memory.ts";
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

  const queue = sharedReading<QueuedEvents | undefined>(() => queuedEvents(db), {
    otherwise: undefined,
  });
  gauge(
    "events_waiting",
    "Audit events that no worker has passed on yet; NaN while PostgreSQL is away",
    [],
    async (gauge) => gauge.set((await queue())?.waiting ?? Number.NaN),
  );
  gauge(
    "oldest_event_waiting_seconds",
    "How long the oldest of them waits, 0 if none does; NaN while PostgreSQL is away",
    [],
    async (gauge) => gauge.set(oldestSeconds(await queue(), deps.clock.now())),
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

function oldestSeconds(queued: QueuedEvents | undefined, now: number): number {
  if (!queued) return Number.NaN;
  return queued.oldest ? Math.max(0, now - queued.oldest.getTime()) / 1000 : 0;
}
