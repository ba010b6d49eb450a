import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Value = { stringValue?: string; intValue?: number };

export type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  service: string;
  attributes: Record<string, Value>;
};

type Attributes = { key: string; value: Value }[];

type Export = {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: (Pick<Span, "traceId" | "spanId" | "parentSpanId" | "name"> & {
        attributes: Attributes;
      })[];
    }[];
  }[];
};

const byKey = (attributes: Attributes) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value]));

/** Receives traces by OTLP over HTTP, as JSON (the protocol's section "OTLP/HTTP"). */
export async function startTraceReceiver() {
  const spans: Span[] = [];
  /** The body of every request, for searches. */
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    bodies.push(body);
    for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
      const service = byKey(resource.attributes)["service.name"]?.stringValue ?? "";
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({ ...span, service, attributes: byKey(span.attributes) });
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    /** The names from the root span of the trace down to this span. */
    lineage(span: Span): string[] {
      const parent = spans.find(
        ({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId,
      );
      return [...(parent ? this.lineage(parent) : []), `${span.service} ${span.name}`];
    },
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}
