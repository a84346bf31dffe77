import { Annotation, END, interrupt, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  answers: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

const ask = (question: string) => () => ({ answers: [`${question} ${interrupt({ question })}`] });
const askTwice = () => ({ answers: [`first ${interrupt("first")}`, `second ${interrupt("second")}`] });

/** A graph in which two nodes ask at once, and then one node asks twice in a row. */
export const graph = new StateGraph(State)
  .addNode("askName", ask("name"))
  .addNode("askAge", ask("age"))
  .addNode("askTwice", askTwice)
  .addEdge(START, "askName")
  .addEdge(START, "askAge")
  .addEdge(["askName", "askAge"], "askTwice")
  .addEdge("askTwice", END)
  .compile();
