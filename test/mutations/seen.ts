import type { Mutation } from "./mutation.ts";

/** Rules of metrics, alerts, logs and traces, and of the operators' commands. */
export const seenMutations: Mutation[] = [
  {
    mistake: "each scrape asks a store that hangs once more",
    file: "telemetry/reading.ts",
    find: "reading ??= read()",
    replace: "reading = read()",
    noticedBy: ["test/telemetry/reading.test.ts"],
  },
  {
    mistake: "no alert fires when Prometheus knows no gateway any more",
    file: "docs/grafana/alerts.yml",
    find: 'expr: absent(up{job="second-step-gateway"} == 1)',
    replace: 'expr: sum(up{job="second-step-gateway"}) == 0',
    noticedBy: ["test/e2e/alerts.test.ts"],
  },
  {
    mistake: "a request's log line has its path",
    file: "api/http/request-log.ts",
    find: 'const route = matchedRoute(c) ?? "none";',
    replace: "const route = c.req.path;",
    noticedBy: ["test/api/http/logs.test.ts"],
  },
  {
    mistake: "a failed passcode is counted without its method",
    file: "core/login/login-metrics.ts",
    find: "outcome: codeOf(error), method: tried }",
    replace: "outcome: codeOf(error) }",
    noticedBy: ["test/api/http/metrics.test.ts"],
  },
  {
    mistake: "an operator's question to PostgreSQL may change it",
    file: "scripts/cli/sql.ts",
    find: 'accessMode: "read only"',
    replace: 'accessMode: "read write"',
    noticedBy: ["test/e2e/operations.test.ts"],
  },
  {
    mistake: "each ping of a timer is a trace of its own",
    file: "telemetry/tracing.ts",
    find: "    if (!trace.getActiveSpan()) return undefined;\n",
    replace: "",
    noticedBy: ["test/e2e/traces.test.ts"],
  },
  {
    mistake: "an event that is in no chain is not seen",
    file: "api/http/gauges.ts",
    find: "gauge.set(secondsSince(await unchained()))",
    replace: "gauge.set(0)",
    noticedBy: ["test/api/http/metrics.test.ts"],
  },
  {
    mistake: "an operator who logs everybody out is woken for it",
    file: "docs/grafana/alerts.yml",
    find: '{cause!="by_hand"}',
    replace: "",
    noticedBy: ["test/e2e/alerts.test.ts"],
  },
];
