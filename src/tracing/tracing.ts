import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Logger } from "pino";

/** The facts of an attempt that its span records. */
export interface TracedAttempt {
  runId: string;
  threadId: string;
  assistantId: string;
  graphId: string;
  attempt: number;
  /** The span of the request that created the run, as W3C traceparent. */
  traceparent: string | null;
  /** The span of the previous attempt, as W3C traceparent. */
  attemptSpan: string | null;
}

export interface AttemptSpan {
  /** The span as W3C traceparent, for the next attempt to link to. Undefined if it is not sampled. */
  readonly traceparent: string | undefined;
  /** Runs the attempt's work, whose spans become children of this one. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  end(outcome: string): void;
}

/** Reports runs to an operator's tracing. Its failures never affect a run. */
export interface Tracing {
  startAttempt(attempt: TracedAttempt): AttemptSpan;
  /** Returns callbacks that trace super-steps, nodes, model calls and tools of a graph during an attempt. */
  callbacks(): BaseCallbackHandler[];
  /** Returns the current span as W3C traceparent, for calls to other services. */
  traceparent(): string | undefined;
  /** Sends the remaining spans, and stops. */
  stop(): Promise<void>;
}

/** The options from the usual OTEL_ variables. The exporters read further ones themselves. */
export interface TracingOptions {
  /** otlp or console. */
  exporter: string;
  protocol: string;
  sampler: string;
  samplerArgument: number;
  /** The time that spans are buffered before they are sent. */
  delayMs: number;
  /** Whether spans may hold prompts and responses. */
  withContent: boolean;
  log: Logger;
  version: string;
}

const wellFormed = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Returns a caller's traceparent if it is well-formed. An invalid one is ignored, as the standard requires. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && wellFormed.test(header) ? header : undefined;
}
