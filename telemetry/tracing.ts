import { createRequire } from "node:module";
import {
  context,
  defaultTextMapGetter,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { setGlobalErrorHandler, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { Resource } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  type OpenTelemetrySinks,
  OpenTelemetryWorkflowClientInterceptor,
} from "@temporalio/interceptors-opentelemetry";
import type { InjectedSinks, WorkerOptions } from "@temporalio/worker";
import type { WorkflowInfo } from "@temporalio/workflow";
import type { MiddlewareHandler } from "hono";
import { matchedRoute } from "./matched-route.ts";
import { makeSpansBy } from "./spans.ts";

type Settings = {
  /** Base address of an OTLP/HTTP receiver. */
  endpoint: string;
  service: string;
  log: { warn(fields: object, message: string): void };
};

/**
 * Creates this process's spans and sends them in batches. Spans that cannot be sent are dropped,
 * with a log line.
 */
export function startTracing({ endpoint, service, log }: Settings) {
  setGlobalErrorHandler((error) =>
    log.warn({ error: (error as Error).name }, "traces could not be sent"),
  );
  const resource = new Resource({ "service.name": service });
  const url = `${endpoint.replace(/\/$/, "")}/v1/traces`;
  const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url }));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({
    contextManager: new AsyncLocalStorageContextManager().enable(),
    propagator: new W3CTraceContextPropagator(),
  });
  traceOutgoingCalls();

  const spans = makeWorkflowExporter(processor, resource).export;
  /** The worker's tracing: IDs and types of flows and activities, never their arguments. */
  const worker = {
    interceptors: {
      workflowModules: [WORKFLOW_INTERCEPTORS],
      activity: [(ctx) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(ctx) })],
    },
    sinks: {
      exporter: {
        // The exporter writes all these fields into each span, so it gets only three of them.
        export: {
          fn: ({ workflowId, runId, workflowType }, ended) =>
            spans.fn({ workflowId, runId, workflowType } as WorkflowInfo, ended),
        },
      },
    } satisfies InjectedSinks<OpenTelemetrySinks>,
  } satisfies Pick<WorkerOptions, "interceptors" | "sinks">;

  return {
    client: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
    worker,
    requests: traceRequests,
    /** Sends the remaining spans. */
    stop: () => provider.shutdown().catch(() => {}),
  };
}

/** The module that traces inside workflows. */
export const WORKFLOW_INTERCEPTORS = createRequire(import.meta.url).resolve(
  "@temporalio/interceptors-opentelemetry/lib/workflow-interceptors",
);

/** Polled by machines every few seconds; nobody looks for their traces. */
const UNTRACED = ["/healthz", "/readyz", "/health/dependencies"];

/**
 * Makes a span for each request, with method, route and status, but never its address, headers or
 * body. A trace context that the client sends is only used behind a trusted proxy.
 */
function traceRequests({
  trustedProxies,
  onTrace,
}: {
  trustedProxies: number;
  onTrace(traceId: string): void;
}): MiddlewareHandler {
  const tracer = trace.getTracer("second-step");
  return async (c, next) => {
    const { method, path } = c.req;
    if (UNTRACED.includes(path)) return next();
    const headers = trustedProxies > 0 ? c.req.header() : {};
    const parent = propagation.extract(context.active(), headers, defaultTextMapGetter);
    await tracer.startActiveSpan(method, { kind: SpanKind.SERVER }, parent, async (span) => {
      onTrace(span.spanContext().traceId);
      try {
        await next();
      } finally {
        const route = matchedRoute(c);
        if (route) span.updateName(`${method} ${route}`).setAttribute("http.route", route);
        span.setAttribute("http.request.method", method);
        span.setAttribute("http.response.status_code", c.res.status);
        if (c.res.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      }
    });
  };
}

/** Makes the spans of calls to PostgreSQL, Redis, SMS providers and webhooks. */
function traceOutgoingCalls(): void {
  const tracer = trace.getTracer("second-step");
  makeSpansBy(({ name, attributes }) => {
    // Work of timers belongs to no request or flow. A trace for each ping would hide the others.
    if (!trace.getActiveSpan()) return undefined;
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
    return {
      within: (work) => context.with(trace.setSpan(context.active(), span), work),
      end(failed, more = {}) {
        span.setAttributes(more);
        if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  });
}
