import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ said: Annotation() });

export default new StateGraph(State)
  .addNode("say", () => ({ said: "plain" }))
  .addEdge(START, "say")
  .addEdge("say", END)
  .compile();
