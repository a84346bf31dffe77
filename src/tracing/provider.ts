import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { TracingOptions } from "./tracing.ts";

/**
 * Returns the OpenTelemetry resource that names the service in traces. The values of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take
 * precedence.
 */
export function resourceOf(version: string): Resource {
  const ours = resourceFromAttributes({ "service.name": "ensemble", "service.version": version });
  return defaultResource()
    .merge(ours)
    .merge(detectResources({ detectors: [envDetector] }));
}

export function spanProcessorOf({ exporter, protocol, delayMs }: TracingOptions): SpanProcessor {
  if (exporter === "console") return new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() });
  return new BatchSpanProcessor({
    exporter: protocol === "http/json" ? new JsonExporter() : new ProtobufExporter(),
    scheduledDelayMillis: delayMs,
    exportTimeoutMillis: 10_000,
  });
}

/**
 * Returns the sampler that OTEL_TRACES_SAMPLER selects. The default sampler traces a run if the request that created it is traced, or if
 * that request says nothing about tracing.
 */
export function samplerOf({ sampler, samplerArgument: ratio }: TracingOptions): Sampler {
  const root = sampler.replace(/^parentbased_/, "");
  const alone =
    root === "always_off" ? new AlwaysOffSampler() : root === "traceidratio" ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
  return sampler.startsWith("parentbased_") ? new ParentBasedSampler({ root: alone }) : alone;
}
