import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { trace } from "@opentelemetry/api";

const State = Annotation.Root({ traceId: Annotation<string | null>() });

/** A graph that creates a span, and returns the trace that the span belongs to. */
export const graph = new StateGraph(State)
  .addNode("look", () =>
    trace.getTracer("the graph's own").startActiveSpan("look around", (span) => {
      span.end();
      return { traceId: trace.getActiveSpan()?.spanContext().traceId ?? null };
    }),
  )
  .addEdge(START, "look")
  .addEdge("look", END)
  .compile();

/** A graph that ignores the abort signal. */
export const deaf = new StateGraph(State)
  .addNode("begin", () => ({}))
  .addNode("go on", () => sleep(5_000, {}, { ref: false }))
  .addEdge(START, "begin")
  .addEdge("begin", "go on")
  .addEdge("go on", END)
  .compile();
