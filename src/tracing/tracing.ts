import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Logger } from "pino";

/** The data from which the span of an attempt is made. */
export interface TracedAttempt {
  runId: string;
  threadId: string;
  assistantId: string;
  graphId: string;
  attempt: number;
  /** The span of the request that created the run, as a W3C traceparent. Null if the request had none. */
  traceparent: string | null;
  /** The span of the previous attempt, as a W3C traceparent. Null if it is unknown. */
  attemptSpan: string | null;
}

export interface AttemptSpan {
  /** The attempt's span as a W3C traceparent, so that the next attempt can link to it. Undefined if the span is not sampled. */
  readonly traceparent: string | undefined;
  /** Calls `work`. Spans that `work` creates become children of the attempt's span. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  end(outcome: string): void;
}

/** Reports runs to the operator's tracing system. A failure of tracing never affects a run. */
export interface Tracing {
  startAttempt(attempt: TracedAttempt): AttemptSpan;
  /** Returns the callbacks that trace a graph during an attempt: its super-steps, nodes, model calls and tools. */
  callbacks(): BaseCallbackHandler[];
  /** Returns the current span as a W3C traceparent, for calls to other services. Returns undefined if there is no current span. */
  traceparent(): string | undefined;
  /** Sends the spans that are not yet sent, and stops tracing. */
  stop(): Promise<void>;
}

/** The options from the standard OTEL_ variables. The exporters themselves read further variables. */
export interface TracingOptions {
  /** The exporter of spans: "otlp" sends them to a collector, and "console" writes them to stdout. */
  exporter: string;
  protocol: string;
  sampler: string;
  samplerArgument: number;
  /** The number of milliseconds for which spans are collected before they are sent. */
  delayMs: number;
  /** True if spans may contain prompts and responses, which may be confidential. */
  withContent: boolean;
  log: Logger;
  version: string;
}

const wellFormed = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Returns the traceparent header of a request if it is well-formed. The standard requires that a malformed header is ignored. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && wellFormed.test(header) ? header : undefined;
}
