import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ seen: Annotation<unknown>(), anything: Annotation<unknown>() });

const visible = (values: Record<string, unknown> = {}) =>
  Object.fromEntries(Object.entries(values).filter(([key, value]) => !key.startsWith("__") && typeof value !== "function"));

async function look(_state: typeof State.State, config: LangGraphRunnableConfig) {
  await sleep(20); // long enough for another run to overlap
  return {
    seen: {
      configurable: visible(config.configurable),
      context: config.context ?? null,
      metadata: visible(config.metadata),
      tags: config.tags,
    },
  };
}

/** A graph that returns what its node received. */
export const graph = new StateGraph(State).addNode("look", look).addEdge(START, "look").addEdge("look", END).compile();
