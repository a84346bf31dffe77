import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  ticks: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }),
  until: Annotation<number>(),
  tickMs: Annotation<number>(),
  name: Annotation<string>(),
  names: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

async function note({ name }: typeof State.State) {
  return { names: name ? [name] : [] };
}

async function tick({ tickMs }: typeof State.State, { signal, writer }: LangGraphRunnableConfig) {
  writer?.({ ticking: true });
  await sleep(tickMs ?? 50, undefined, { signal });
  return { ticks: 1 };
}

/** A graph that ticks until it is told to stop. Each tick is one super-step. */
export const graph = new StateGraph(State)
  .addNode("note", note)
  .addNode("tick", tick)
  .addEdge(START, "note")
  .addEdge("note", "tick")
  .addConditionalEdges("tick", ({ ticks, until }) => (ticks >= (until ?? 3) ? END : "tick"), ["tick", END])
  .compile();
