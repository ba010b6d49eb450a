type Settings = Parameters<typeof import("./tracing.ts").startTracing>[0];

/** Starts tracing if an endpoint is given. Without one OpenTelemetry is not even loaded. */
export async function startTraces({
  endpoint,
  ...settings
}: Omit<Settings, "endpoint"> & Partial<Settings>) {
  if (!endpoint) return undefined;
  const { startTracing } = await import("./tracing.ts");
  return startTracing({ endpoint, ...settings });
}
