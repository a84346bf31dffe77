import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Logger } from "pino";

/** The facts in the span of an attempt. */
export interface TracedAttempt {
  runId: string;
  threadId: string;
  assistantId: string;
  graphId: string;
  attempt: number;
  /** The span of the request that created the run, as a W3C traceparent. */
  traceparent: string | null;
  /** The span of the previous attempt, as a W3C traceparent. */
  attemptSpan: string | null;
}

export interface AttemptSpan {
  /** The span as a W3C traceparent, so that the next attempt can link to it. Undefined if the span is not sampled. */
  readonly traceparent: string | undefined;
  /** Calls `work`. Spans that `work` creates become children of this span. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  end(outcome: string): void;
}

/** Reports runs to the operator's tracing system. A failure of tracing never affects a run. */
export interface Tracing {
  startAttempt(attempt: TracedAttempt): AttemptSpan;
  /** Returns the callbacks that trace a graph during an attempt: its super-steps, nodes, model calls and tools. */
  callbacks(): BaseCallbackHandler[];
  /** Returns the current span as a W3C traceparent, for calls to other services. */
  traceparent(): string | undefined;
  /** Sends the remaining spans, and stops. */
  stop(): Promise<void>;
}

/** The options from the standard OTEL_ variables. The exporters read more variables themselves. */
export interface TracingOptions {
  /** The target of spans: "otlp" for a collector, "console" for stdout. */
  exporter: string;
  protocol: string;
  sampler: string;
  samplerArgument: number;
  /** How long spans are collected before they are sent, in milliseconds. */
  delayMs: number;
  /** True if spans may contain prompts and responses, which may be confidential. */
  withContent: boolean;
  log: Logger;
  version: string;
}

const wellFormed = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Returns the traceparent of a request if it is well-formed. The standard requires that a malformed one is ignored. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && wellFormed.test(header) ? header : undefined;
}
