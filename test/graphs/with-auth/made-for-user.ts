import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ task: Annotation<string>(), done: Annotation<unknown>() });

async function work({ task }: typeof State.State, { signal }: LangGraphRunnableConfig) {
  if (task === "ask") return { done: interrupt({ question: "sure?" }) };
  await sleep(60_000, undefined, { signal });
  return {};
}

/** A graph that is made for a user. It cannot be made without one. */
export function graph({ configurable = {} }: LangGraphRunnableConfig) {
  const { identity } = configurable.langgraph_auth_user; // throws if there is no user
  return new StateGraph(State).addNode(`for-${identity}`, work).addEdge(START, `for-${identity}`).addEdge(`for-${identity}`, END).compile();
}
