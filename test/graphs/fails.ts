import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

class CustomError extends Error {
  override name = "CustomError";
}

const State = Annotation.Root({ done: Annotation<string>() });

/** Its second node throws. */
export const graph = new StateGraph(State)
  .addNode("work", () => ({ done: "work" }))
  .addNode("explode", () => {
    throw new CustomError("Boo!");
  })
  .addEdge(START, "work")
  .addEdge("work", "explode")
  .addEdge("explode", END)
  .compile();
