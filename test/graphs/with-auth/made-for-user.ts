import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ task: Annotation<string>(), done: Annotation<unknown>() });

async function work({ task }: typeof State.State, { signal }: LangGraphRunnableConfig) {
  if (task === "ask") return { done: interrupt({ question: "sure?" }) };
  await sleep(60_000, undefined, { signal });
  return {};
}

/** There is none without somebody to make it for. */
export function graph({ configurable = {} }: LangGraphRunnableConfig) {
  const { identity } = configurable.langgraph_auth_user; // throws where nobody is asking
  return new StateGraph(State).addNode(`for-${identity}`, work).addEdge(START, `for-${identity}`).addEdge(`for-${identity}`, END).compile();
}
