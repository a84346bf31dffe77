import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ tasks: Annotation<object[]>() });

/** A graph that only keeps a list of tasks, in the form of the pattern team. */
export const graph = new StateGraph(State)
  .addNode("keep", () => ({}))
  .addEdge(START, "keep")
  .addEdge("keep", END)
  .compile();
