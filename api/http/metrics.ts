import type { MiddlewareHandler } from "hono";
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import { watchRedisCommands } from "../../store/redis/commands.ts";
import { subscribe } from "../../telemetry/facts.ts";
import { matchedRoute } from "../../telemetry/matched-route.ts";
import { addGauges, type GaugeDeps } from "./gauges.ts";
import { problemCode } from "./problems.ts";

/** In seconds: from a Redis round trip to the time limit of a call to Temporal. */
const BUCKETS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * The Prometheus metrics of one gateway: its process, requests by route, logins, locks, refused
 * messages, calls to Redis, PostgreSQL and Temporal, the wait of passwords, and the gauges of
 * gauges.ts. No label names a user.
 */
export function createMetrics(deps: GaugeDeps) {
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

  const passwordWaits = histogram(
    "password_wait_seconds",
    "How long passwords waited for their turn to be hashed",
    [],
  );
  addGauges(registry, deps);

  subscribe("login-step", ({ method = "none", ...step }) => logins.inc({ ...step, method }));
  subscribe("lock", () => locks.inc());
  subscribe("send-refused", (labels) => refusedSends.inc(labels));
  subscribe("temporal-call", ({ seconds, ...labels }) => calls.observe(labels, seconds));
  subscribe("password-wait", ({ seconds }) => passwordWaits.observe(seconds));
  subscribe("database-query", ({ seconds, ...labels }) => queries.observe(labels, seconds));
  watchRedisCommands(({ seconds, ...labels }) => commands.observe(labels, seconds));

  const observe: MiddlewareHandler = async (c, next) => {
    const took = requests.startTimer();
    await next();
    took({
      method: c.req.method,
      route: matchedRoute(c) ?? "none",
      status: c.res.status,
    });
    if (c.error) problems.inc({ code: problemCode(c.error) });
  };
  return { registry, observe };
}
