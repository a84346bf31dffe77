import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, type LangGraphRunnableConfig, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";

/** A graph that calls a model at an endpoint, which streams its tokens. */
export const talk = new StateGraph(MessagesAnnotation)
  .addNode("answer", async ({ messages }, config) => ({
    messages: [await new ChatOpenAI({ model: "scripted", streaming: true }).invoke(messages, config)],
  }))
  .addEdge(START, "answer")
  .addEdge("answer", END)
  .compile();

const Ticks = Annotation.Root({ count: Annotation<number>(), everyMs: Annotation<number>(), startAt: Annotation<number>() });

/** Returns the time of the machine's clock, which is the same in all processes. */
const now = () => performance.timeOrigin + performance.now();

/**
 * Emits events in a regular rhythm. Each event contains the time at which it was due, so that clients see every delay, even that of a late
 * emission. Without a rhythm, an event contains the current time.
 */
async function tick({ count, everyMs, startAt }: typeof Ticks.State, { writer, signal }: LangGraphRunnableConfig) {
  await sleep(Math.max(0, startAt - now()), undefined, { signal });
  const began = now();
  for (let number = 0; number < count; number++) {
    writer?.({ at: everyMs > 0 ? began + number * everyMs : now() });
    await sleep(Math.max(0, began + (number + 1) * everyMs - now()), undefined, { signal });
  }
  return {};
}

export const ticks = new StateGraph(Ticks).addNode("tick", tick).addEdge(START, "tick").addEdge("tick", END).compile();
