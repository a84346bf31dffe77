import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, Send, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  log: Annotation<string[]>({ reducer: (old, more) => [...old, ...more], default: () => [] }),
  item: Annotation<number>(),
});

/** Returns a chain of nodes that each do almost nothing. */
function chain(length: number) {
  const builder = new StateGraph(State);
  const names = Array.from({ length }, (_, index) => `n${index}`);
  for (const name of names) builder.addNode(name, () => ({ log: [name] }));
  const edges = builder as unknown as { addEdge(from: string, to: string): void };
  for (const [index, name] of names.entries()) edges.addEdge(names[index - 1] ?? START, name);
  edges.addEdge(names.at(-1) ?? START, END);
  return builder.compile();
}

/** Returns a graph with many parallel tasks, whose results are collected in the state. */
function fan(width: number) {
  return new StateGraph(State)
    .addNode("split", () => ({}))
    .addNode("work", ({ item }: typeof State.State) => ({ log: [`item ${item}`] }))
    .addConditionalEdges("split", () => Array.from({ length: width }, (_, item) => new Send("work", { item })), ["work"])
    .addEdge(START, "split")
    .addEdge("work", END)
    .compile();
}

export const one = chain(1);
export const five = chain(5);
export const twenty = chain(20);
export const fan3 = fan(3);
export const fan50 = fan(50);

/** A graph whose node waits, as most nodes wait for a model or a tool. */
export const waiting = new StateGraph(State)
  .addNode("wait", async () => {
    await sleep(200);
    return { log: ["waited"] };
  })
  .addEdge(START, "wait")
  .addEdge("wait", END)
  .compile();
