import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ how: Annotation<string>(), done: Annotation<boolean>() });

/** Throws an error that nobody catches: in a promise that is not awaited, or in a timer. */
function misbehave({ how }: typeof State.State) {
  if (how === "rejection") void Promise.reject(new Error("nobody awaits me"));
  else
    setTimeout(() => {
      throw new Error("thrown in a timer");
    }, 1);
  return new Promise((resolve) => setTimeout(() => resolve({ done: true }), 50));
}

export const graph = new StateGraph(State).addNode("misbehave", misbehave).addEdge(START, "misbehave").addEdge("misbehave", END).compile();
