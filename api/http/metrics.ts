import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CoreDeps } from "../../core/deps.ts";
import { usedSendBudgets } from "../../core/limits/send-budgets.ts";
import { codeOf } from "../../core/outages.ts";
import { countQueuedEvents } from "../../store/postgres/event-queue.ts";
import { watchRedisCommands } from "../../store/redis/commands.ts";
import { subscribe } from "../../telemetry/facts.ts";
import type { Dependencies } from "./dependencies.ts";

/** In seconds: from a Redis round trip to the time limit of a call to Temporal. */
const BUCKETS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * The Prometheus metrics of one gateway: its process, requests by route, logins, locks, refused
 * messages, the use of the hour's messages, calls to Redis, PostgreSQL and Temporal, and the queue
 * that the workers empty. No label names a user.
 */
export function createMetrics({
  db,
  dependencies,
  ...deps
}: Pick<CoreDeps, "db" | "redis" | "config" | "clock"> & {
  dependencies: () => Promise<Dependencies>;
}) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `second_step_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Histogram({
      name: `second_step_${name}`,
      help,
      labelNames,
      buckets: BUCKETS_S,
      registers,
    });

  collectDefaultMetrics({ register: registry, prefix: "second_step_" });
  const requests = histogram(
    "http_request_duration_seconds",
    "Requests by method, route (its pattern, never the actual path) and status",
    ["method", "route", "status"],
  );
  const problems = counter("problems_total", "Refusals of API requests, by the problem's code", [
    "code",
  ]);
  const logins = counter("logins_total", "Login steps by outcome and method", [
    "step",
    "outcome",
    "method",
  ]);
  const locks = counter("locks_total", "Users locked after wrong passcodes", []);
  const refusedSends = counter(
    "sends_refused_total",
    "Messages refused because a limit was reached",
    ["limit"],
  );
  const commands = histogram("redis_command_duration_seconds", "Redis commands and scripts", [
    "command",
    "outcome",
  ]);
  const calls = histogram("temporal_call_duration_seconds", "Calls to Temporal, retries included", [
    "call",
    "outcome",
  ]);
  const queries = histogram(
    "database_query_duration_seconds",
    "PostgreSQL queries, waits included",
    ["outcome"],
  );

  new Gauge({
    name: "second_step_events_waiting",
    help: "Audit events that no worker has passed on yet; NaN while PostgreSQL is away",
    registers,
    async collect() {
      this.set(await countQueuedEvents(db).catch(() => Number.NaN));
    },
  });

  new Gauge({
    name: "second_step_dependency_up",
    help: "1 if the dependency answers this gateway, else 0",
    labelNames: ["dependency"],
    registers,
    async collect() {
      for (const [dependency, up] of Object.entries(await dependencies()))
        this.set({ dependency }, Number(up));
    },
  });

  new Gauge({
    name: "second_step_send_budget_used_ratio",
    help: "Messages of the last hour, of those that SMS_PER_HOUR and SMS_PER_COUNTRY_AND_HOUR allow",
    labelNames: ["limit", "country"],
    registers,
    async collect() {
      this.reset();
      const uses = await usedSendBudgets(deps).catch(() => []);
      for (const { ratio, ...labels } of uses) this.set(labels, ratio);
    },
  });

  subscribe("login-step", ({ method = "none", ...step }) => logins.inc({ ...step, method }));
  subscribe("lock", () => locks.inc());
  subscribe("send-refused", (labels) => refusedSends.inc(labels));
  subscribe("temporal-call", ({ seconds, ...labels }) => calls.observe(labels, seconds));
  subscribe("database-query", ({ seconds, ...labels }) => queries.observe(labels, seconds));
  watchRedisCommands(({ seconds, ...labels }) => commands.observe(labels, seconds));

  const observe: MiddlewareHandler = async (c, next) => {
    const took = requests.startTimer();
    await next();
    const route = routePath(c);
    // A pattern that ends in `*` is a middleware's: no route took the request.
    took({
      method: c.req.method,
      route: route.endsWith("*") ? "none" : route,
      status: c.res.status,
    });
    if (c.error) problems.inc({ code: codeOf(c.error) });
  };
  return { registry, observe };
}
