import { isGraphBubbleUp } from "@langchain/langgraph";
import { type Attributes, type Context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";

interface Step {
  span: Span;
  context: Context;
  open: number;
  /**
   * When the step's last node ended, in milliseconds since 1970. It is unknown that a node was the last one until the next step begins. The
   * step's span is therefore ended only then, with this time as its end.
   */
  doneAt: number;
}

interface Entry {
  context: Context;
  span?: Span;
  step?: Step;
}

export interface SpanTree {
  /** Registers a part of the call for which no span is created. The spans of its children become children of the nearest enclosing span. */
  pass(runId: string, parentRunId: string | undefined): void;
  startNode(runId: string, parentRunId: string | undefined, node: string, step: number): void;
  start(runId: string, parentRunId: string | undefined, what: { name: string; attributes: Attributes; isCall: boolean }): void;
  end(runId: string, attributes?: Attributes): void;
  fail(runId: string, error: unknown): void;
}

/**
 * Creates the spans of one call of a graph. Each part of the call has an id from LangChain, by which its span is found again. LangGraph
 * reports each node with the number of its step. The spans of the nodes in one step become children of a common span for this step.
 */
export function createSpanTree(tracer: Tracer, root: Context): SpanTree {
  const entries = new Map<string, Entry>();
  /** The current step of each graph, by the id that LangChain gives to the graph's call. */
  const steps = new Map<string, Step & { number: number }>();

  const contextOf = (runId: string | undefined) => (runId !== undefined && entries.get(runId)?.context) || root;

  function enterStep(graph: string, number: number): Step {
    const current = steps.get(graph);
    if (current?.number === number) return current;
    if (current) current.span.end(current.doneAt);
    const span = tracer.startSpan(`step ${number}`, { attributes: { "ensemble.step": number } }, contextOf(graph));
    const step = { number, span, context: trace.setSpan(contextOf(graph), span), open: 0, doneAt: Date.now() };
    steps.set(graph, step);
    return step;
  }

  function open(runId: string, around: Context, name: string, options: { kind?: SpanKind; attributes: Attributes }, step?: Step): void {
    const span = tracer.startSpan(name, options, around);
    entries.set(runId, { span, context: trace.setSpan(around, span), ...(step && { step }) });
  }

  function close(runId: string, attributes: Attributes, error?: unknown): void {
    const entry = entries.get(runId);
    entries.delete(runId);
    steps.get(runId)?.span.end(steps.get(runId)?.doneAt);
    steps.delete(runId);
    if (!entry?.span) return;
    entry.span.setAttributes(attributes);
    if (error !== undefined) describeFailure(entry.span, error);
    entry.span.end();
    if (entry.step) entry.step.doneAt = Date.now();
  }

  return {
    pass: (runId, parentRunId) => void entries.set(runId, { context: contextOf(parentRunId) }),
    startNode(runId, parentRunId, node, number) {
      const step = enterStep(parentRunId ?? "", number);
      open(runId, step.context, `node ${node}`, { attributes: { "ensemble.node": node, "ensemble.step": number } }, step);
    },
    start: (runId, parentRunId, { name, attributes, isCall }) =>
      open(runId, contextOf(parentRunId), name, { kind: isCall ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes }),
    end: (runId, attributes = {}) => close(runId, attributes),
    fail: (runId, error) => close(runId, {}, error),
  };
}

/**
 * Records the type of an error in a span, without the error's message, which may repeat text from a model or a person. The message is only
 * in the log.
 */
function describeFailure(span: Span, error: unknown): void {
  if (isGraphBubbleUp(error as Error))
    span.setAttribute("ensemble.interrupted", true); // an interrupt or a handoff is not a failure
  else span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", error instanceof Error ? error.name : typeof error);
}
