import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { makeSpansBy } from "./spans.ts";

/** Makes the spans of calls to PostgreSQL, Redis, SMS providers and webhooks. */
export function traceOutgoingCalls(): void {
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
