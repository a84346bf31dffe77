import { isGraphBubbleUp } from "@langchain/langgraph";
import { type Attributes, type Context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";

interface Step {
  span: Span;
  context: Context;
  open: number;
  /** When the last of its nodes was done: by then it was over, though that shows only when the next one begins. */
  doneAt: number;
}

interface Entry {
  context: Context;
  span?: Span;
  step?: Step;
}

export interface SpanTree {
  /** Something that has no span of its own: what is within it belongs to what is around it. */
  pass(runId: string, parentRunId: string | undefined): void;
  startNode(runId: string, parentRunId: string | undefined, node: string, step: number): void;
  start(runId: string, parentRunId: string | undefined, what: { name: string; attributes: Attributes; isCall: boolean }): void;
  end(runId: string, attributes?: Attributes): void;
  fail(runId: string, error: unknown): void;
}

/**
 * The spans of one call of a graph, by the ids that LangChain gives its runs. LangGraph tells of nodes and in which step they run; the
 * step is made of them, one for all nodes of a graph that run together.
 */
export function createSpanTree(tracer: Tracer, root: Context): SpanTree {
  const entries = new Map<string, Entry>();
  /** The step that each graph is in, by the run id of the graph. */
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

/** The kind of an error, not its sentence: that may repeat what a model or a person has said, and the log has it. */
function describeFailure(span: Span, error: unknown): void {
  if (isGraphBubbleUp(error as Error))
    span.setAttribute("ensemble.interrupted", true); // asked, or handed over: no failure
  else span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute("error.type", error instanceof Error ? error.name : typeof error);
}
