import type { Tracing, TracingOptions } from "./tracing.ts";

/** Loads OpenTelemetry: nobody else pays for it. Its variables are set for many programs at once, so what we do not know stops nothing. */
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
