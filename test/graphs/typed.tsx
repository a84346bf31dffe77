import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

enum Word {
  Said = "typed",
}

const State = Annotation.Root({ said: Annotation<string>() });

/** A graph that needs more than type stripping: it has an enum, in a .tsx file. */
export const graph = new StateGraph(State)
  .addNode("say", () => ({ said: Word.Said }))
  .addEdge(START, "say")
  .addEdge("say", END)
  .compile();
