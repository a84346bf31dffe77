import type { Tracing, TracingOptions } from "./tracing.ts";

/**
 * Starts tracing. Only this function imports OpenTelemetry, so that a service without tracing need not load it. If the exporter is not
 * supported, logs this and returns undefined. This is no error, because the OTEL_ variables are often set for many programs together.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  if (options.exporter !== "otlp" && options.exporter !== "console") {
    options.log.warn(
      `OTEL_TRACES_EXPORTER is ${options.exporter}, which is not supported: nothing is traced. Supported are otlp and console.`,
    );
    return undefined;
  }
  const { openTelemetry } = await import("./open-telemetry.ts");
  return openTelemetry(options);
}
