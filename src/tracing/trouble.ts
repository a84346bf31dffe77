import { DiagLogLevel, diag } from "@opentelemetry/api";
import type { TracingOptions } from "./tracing.ts";

/** The shortest time between two warnings. An unreachable collector fails every few seconds. */
const quietMs = 60_000;

/** Logs OpenTelemetry's errors, at most one a minute, and an unsupported protocol. Returns the function that stops it. */
export function reportTrouble({ log, protocol, exporter }: TracingOptions): () => void {
  if (exporter === "otlp" && !/^http\/(json|protobuf)$/.test(protocol))
    log.warn(`OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}, which is not supported: spans are sent as http/protobuf.`);
  let quietUntil = 0;
  const warn = (message: string, ...details: unknown[]) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + quietMs;
    log.warn({ details: details.map(String) }, `tracing: ${message}`);
  };
  const ignore = () => {};
  diag.setLogger(
    { error: warn, warn, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  return () => diag.disable();
}
