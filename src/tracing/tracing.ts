import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Logger } from "pino";

/** An attempt of a run, as its span tells of it. */
export interface TracedAttempt {
  runId: string;
  threadId: string;
  assistantId: string;
  graphId: string;
  attempt: number;
  /** The span in which the run was asked for, and that of the attempt before, as W3C's traceparent. */
  traceparent: string | null;
  attemptSpan: string | null;
}

export interface AttemptSpan {
  /** As W3C's traceparent, for the next attempt to point to; undefined for one that is not sampled. */
  readonly traceparent: string | undefined;
  /** Does the attempt's work: what it traces belongs to it. */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  end(outcome: string): void;
}

/** Tells an operator's tracing of runs. Nothing that goes wrong with it is a run's business. */
export interface Tracing {
  startAttempt(attempt: TracedAttempt): AttemptSpan;
  /** What tells of super-steps, nodes, model calls and tools, for a graph that is called during an attempt. */
  callbacks(): BaseCallbackHandler[];
  /** The span that the present work belongs to, as W3C's traceparent: for calls that go on elsewhere. */
  traceparent(): string | undefined;
  /** Sends what is not sent yet. */
  stop(): Promise<void>;
}

/** As the usual OTEL_ variables say it; the exporters read their own besides. */
export interface TracingOptions {
  /** otlp or console. */
  exporter: string;
  protocol: string;
  sampler: string;
  samplerArgument: number;
  /** How long spans are gathered before they are sent. */
  delayMs: number;
  /** Whether prompts and answers may be in spans. */
  withContent: boolean;
  log: Logger;
  version: string;
}

const wellFormed = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** A caller's traceparent, if it is one. What is none is passed over, as the standard asks. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" && wellFormed.test(header) ? header : undefined;
}
