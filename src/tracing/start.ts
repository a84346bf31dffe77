import type { Tracing, TracingOptions } from "./tracing.ts";

/** Loads OpenTelemetry: nobody else pays for it. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { openTelemetry } = await import("./open-telemetry.ts");
  return openTelemetry(options);
}
