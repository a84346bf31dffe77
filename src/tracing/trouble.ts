import { DiagLogLevel, diag } from "@opentelemetry/api";
import type { TracingOptions } from "./tracing.ts";

/** A collector that is away fails every few seconds. */
const quietMs = 60_000;

/** Logs what OpenTelemetry complains of, now and then, and what was asked of it that is not here. The function ends it. */
export function reportTrouble({ log, protocol, exporter }: TracingOptions): () => void {
  if (exporter === "otlp" && !/^http\/(json|protobuf)$/.test(protocol))
    log.warn(`OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}, which is not supported: spans are sent as http/protobuf.`);
  let quietUntil = 0;
  const complain = (message: string, ...details: unknown[]) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + quietMs;
    log.warn({ details: details.map(String) }, `tracing: ${message}`);
  };
  const ignore = () => {};
  diag.setLogger(
    { error: complain, warn: complain, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  return () => diag.disable();
}
