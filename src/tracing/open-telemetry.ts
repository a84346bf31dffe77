import { setTimeout as sleep } from "node:timers/promises";
import {
  type Attributes,
  type Context,
  context,
  DiagLogLevel,
  diag,
  isSpanContextValid,
  type Link,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { createHandler } from "./handler.ts";
import { resourceOf, samplerOf, spanProcessorOf } from "./provider.ts";
import type { AttemptSpan, TracedAttempt, Tracing, TracingOptions } from "./tracing.ts";

/** The time limit for sending the last spans when the process stops, in milliseconds. */
const shutdownTimeoutMs = 2_000;
/**
 * The shortest time between two warnings, in milliseconds. Without this limit, a warning would come every few seconds while the collector
 * is unreachable.
 */
const quietMs = 60_000;

/**
 * Starts tracing with OpenTelemetry. The whole process shares the context of the current span, so that spans from the graphs' own code
 * become children of the service's spans.
 */
export function openTelemetry(options: TracingOptions): Tracing {
  const provider = new TracerProvider({
    resource: resourceOf(options.version),
    sampler: samplerOf(options),
    spanProcessors: [spanProcessorOf(options)],
  });
  const stopSharing = shareWithGraphs(provider);
  const stopReporting = reportTrouble(options);
  const tracer = provider.getTracer("ensemble", options.version);

  function startAttempt(attempt: TracedAttempt): AttemptSpan {
    const caller = remoteSpan(attempt.traceparent);
    const previous = remoteSpan(attempt.attemptSpan);
    const parent: Context = caller ? trace.setSpanContext(context.active(), caller) : trace.deleteSpan(context.active());
    const links: Link[] = previous ? [{ context: previous, attributes: { "ensemble.link": "previous attempt" } }] : [];
    const span = tracer.startSpan(`run ${attempt.graphId}`, { kind: SpanKind.CONSUMER, links, attributes: describe(attempt) }, parent);
    return {
      traceparent: span.isRecording() ? toTraceparent(span.spanContext()) : undefined,
      during: (work) => context.with(trace.setSpan(parent, span), work),
      end(outcome) {
        span.setAttribute("ensemble.outcome", outcome);
        if (["error", "timeout", "failed"].includes(outcome))
          span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", outcome);
        span.end();
      },
    };
  }

  return {
    startAttempt,
    callbacks: () => [createHandler(tracer, context.active(), options.withContent)],
    traceparent() {
      const active = trace.getActiveSpan()?.spanContext();
      return active && isSpanContextValid(active) ? toTraceparent(active) : undefined;
    },
    async stop() {
      stopSharing();
      await Promise.race([provider.shutdown(), sleep(shutdownTimeoutMs, undefined, { ref: false })]).catch((err) =>
        options.log.warn({ err }, "not all spans could be sent"),
      );
      stopReporting();
    },
  };
}

/**
 * Makes the provider and the context global to the process, unless other code has already set its own. Returns a function that undoes this.
 */
function shareWithGraphs(provider: TracerProvider): () => void {
  const sharesContext = context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const sharesProvider = trace.setGlobalTracerProvider(provider);
  return () => {
    if (sharesProvider) trace.disable();
    if (sharesContext) context.disable();
  };
}

/**
 * Logs OpenTelemetry's errors, at most one per minute. Also warns if the configured protocol is not supported. Returns a function that
 * stops the logging.
 */
function reportTrouble({ log, protocol, exporter }: TracingOptions): () => void {
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

function describe({ runId, threadId, assistantId, graphId, attempt }: TracedAttempt): Attributes {
  return {
    "ensemble.run_id": runId,
    "ensemble.thread_id": threadId,
    "ensemble.assistant_id": assistantId,
    "ensemble.graph_id": graphId,
    "ensemble.attempt": attempt,
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": graphId,
    "gen_ai.conversation.id": threadId,
  };
}

function remoteSpan(traceparent: string | null): SpanContext | undefined {
  const [, traceId, spanId, flags = ""] = traceparent?.split("-") ?? [];
  return traceId && spanId ? { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } : undefined;
}

const toTraceparent = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
