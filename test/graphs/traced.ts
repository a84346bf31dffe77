import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { trace } from "@opentelemetry/api";

const State = Annotation.Root({ traceId: Annotation<string | null>() });

/** Traces something of its own, and says in which trace that was. */
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

/** Does not listen when it is told to stop. */
export const deaf = new StateGraph(State)
  .addNode("begin", () => ({}))
  .addNode("go on", () => sleep(5_000, {}, { ref: false }))
  .addEdge(START, "begin")
  .addEdge("begin", "go on")
  .addEdge("go on", END)
  .compile();
