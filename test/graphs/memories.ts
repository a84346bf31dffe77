import { Annotation, DeltaChannel, END, START, StateGraph } from "@langchain/langgraph";

const Inner = Annotation.Root({
  text: Annotation<string>(),
  heard: Annotation<string[]>(),
  memory: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

/** A subgraph that remembers its inputs from run to run. */
const listener = new StateGraph(Inner)
  .addNode("listen", ({ text, memory }) => ({ memory: [text], heard: [...memory, text] }))
  .addEdge(START, "listen")
  .addEdge("listen", END)
  .compile({ checkpointer: true });

const Outer = Annotation.Root({ text: Annotation<string>(), heard: Annotation<string[]>(), quiet: Annotation<boolean>() });

/** A graph whose subgraph keeps its own state, and is not called in every run. */
export const remembering = new StateGraph(Outer)
  .addNode("greet", () => ({}))
  .addNode("listener", listener)
  .addEdge(START, "greet")
  .addConditionalEdges("greet", ({ quiet }) => (quiet ? END : "listener"), ["listener", END])
  .addEdge("listener", END)
  .compile();

const Log = Annotation.Root({
  log: () => new DeltaChannel<string[], string[]>((all, writes) => all.concat(...writes), { initialValueFactory: () => [] }),
});

/** A graph with a DeltaChannel, which stores only the changes. */
export const deltas = new StateGraph(Log)
  .addNode("one", () => ({ log: ["one"] }))
  .addNode("two", () => ({ log: ["two"] }))
  .addEdge(START, "one")
  .addEdge("one", "two")
  .addEdge("two", END)
  .compile();
