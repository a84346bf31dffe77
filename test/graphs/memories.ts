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

const joining = (all: string[], writes: string[][]) => all.concat(...writes);

/** Returns a graph with a DeltaChannel, which stores only the changes, and the whole value after so many updates. */
function deltaGraph(snapshotFrequency: number) {
  const log = () => new DeltaChannel<string[], string[]>(joining, { initialValueFactory: () => [], snapshotFrequency });
  return new StateGraph(Annotation.Root({ log, last: Annotation<string>() }))
    .addNode("one", () => ({ log: ["one"], last: "one" }))
    .addNode("two", () => ({ log: ["two"], last: "two" }))
    .addEdge(START, "one")
    .addEdge("one", "two")
    .addEdge("two", END)
    .compile();
}

/** A graph that never stores the whole value in a test. */
export const deltas = deltaGraph(1_000);
/** A graph that stores the whole value after every third update. */
export const snapshots = deltaGraph(3);
/** A graph that stores the whole value at every step. */
export const everyStep = deltaGraph(1);

const Around = Annotation.Root({ log: Annotation<string[]>(), rounds: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }) });

/** A graph whose subgraph has a DeltaChannel and remembers it from run to run. */
export const deltasInside = new StateGraph(Around)
  .addNode("inside", deltaGraph(3).builder.compile({ checkpointer: true }))
  .addNode("count", () => ({ rounds: 1 }))
  .addEdge(START, "inside")
  .addEdge("inside", "count")
  .addEdge("count", END)
  .compile();
