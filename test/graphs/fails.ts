import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

class CustomError extends Error {
  override name = "CustomError";
}

const State = Annotation.Root({ done: Annotation<string>() });

/** A graph that cannot reach another server. This error has nothing to do with the database. */
export const offline = new StateGraph(State)
  .addNode("call", async () => {
    await fetch("http://127.0.0.1:9/").catch((error) => {
      throw Object.assign(new Error("connection refused, terminated, timeout"), { code: "ECONNREFUSED", cause: error });
    });
    return {};
  })
  .addEdge(START, "call")
  .addEdge("call", END)
  .compile();

/** A graph whose second node throws. */
export const graph = new StateGraph(State)
  .addNode("work", () => ({ done: "work" }))
  .addNode("explode", () => {
    throw new CustomError("Boo!");
  })
  .addEdge(START, "work")
  .addEdge("work", "explode")
  .addEdge("explode", END)
  .compile();
