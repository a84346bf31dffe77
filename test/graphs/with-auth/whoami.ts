import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ who: Annotation<unknown>() });

/** Returns the user that the graph received, and whether it received more fields than it returns. */
function tell(_state: typeof State.State, { configurable = {} }: LangGraphRunnableConfig) {
  const { langgraph_auth_user: user, langgraph_auth_user_id: id, langgraph_auth_permissions: permissions } = configurable;
  return { who: { identity: user?.identity, id, permissions, knowsSecret: user?.secret === `canary-${id}` } };
}

export const graph = new StateGraph(State).addNode("tell", tell).addEdge(START, "tell").addEdge("tell", END).compile();
