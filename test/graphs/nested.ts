import { Annotation, END, interrupt, START, StateGraph } from "@langchain/langgraph";

const Child = Annotation.Root({
  text: Annotation<string>(),
  childOnly: Annotation<string>(),
  ask: Annotation<boolean>(),
  fail: Annotation<boolean>(),
});

const shout = ({ text }: typeof Child.State) => ({ text: text.toUpperCase(), childOnly: "seen" });
const confirm = ({ text, ask, fail }: typeof Child.State) => {
  if (fail) throw new Error("The child is broken.");
  return { text: ask ? `${text} ${interrupt({ confirm: text })}` : `${text}!` };
};

const child = new StateGraph(Child)
  .addNode("shout", shout)
  .addNode("confirm", confirm)
  .addEdge(START, "shout")
  .addEdge("shout", "confirm")
  .addEdge("confirm", END)
  .compile();

const Parent = Annotation.Root({ text: Annotation<string>(), ask: Annotation<boolean>(), fail: Annotation<boolean>() });

/** A graph with a subgraph that asks or fails if the input says so. */
export const graph = new StateGraph(Parent)
  .addNode("greet", ({ text }) => ({ text: `hello ${text}` }))
  .addNode("child", child)
  .addEdge(START, "greet")
  .addEdge("greet", "child")
  .addEdge("child", END)
  .compile();
