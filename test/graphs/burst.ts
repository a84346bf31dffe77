import { setImmediate as nextTurn } from "node:timers/promises";
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ events: Annotation<number>(), size: Annotation<number>(), channel: Annotation<string>() });

async function emit({ events, size, channel }: typeof State.State, { writer }: LangGraphRunnableConfig) {
  const padding = "x".repeat(size ?? 0);
  for (let index = 0; index < events; index++) {
    writer?.(channel ? { name: channel, payload: index } : { index, padding });
    if (index % 100 === 99) await nextTurn();
  }
  return {};
}

/** Emits a number of events as fast as possible, on its own channel if one is named. */
export const graph = new StateGraph(State).addNode("emit", emit).addEdge(START, "emit").addEdge("emit", END).compile();

const child = new StateGraph(State)
  .addNode("emitFirst", emit)
  .addNode("emitAgain", emit)
  .addEdge(START, "emitFirst")
  .addEdge("emitFirst", "emitAgain")
  .addEdge("emitAgain", END)
  .compile();

/** Four subgraphs that emit events at once, while each stores checkpoints. */
export const bursts = ["a", "b", "c", "d"]
  .reduce(
    (builder, name) =>
      builder
        .addNode(name, async (state: typeof State.State, config: LangGraphRunnableConfig) => void (await child.invoke(state, config)))
        .addEdge(START, name as never)
        .addEdge(name as never, END),
    new StateGraph(State) as StateGraph<typeof State.spec, typeof State.State, typeof State.Update, string>,
  )
  .compile();
