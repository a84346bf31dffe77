import { randomUUID } from "node:crypto";
import { END, ReducedValue, Send, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";

const State = new StateSchema({
  topic: z.string(),
  when: z.string().default(""),
  made: z.string().default(""),
  seen: new ReducedValue(
    z.array(z.string()).default(() => []),
    { reducer: (all: string[], more: string[]) => all.concat(more) },
  ),
});

const things = [new Map([["a", 1]]), new Set([1, 2])];

/** Returns a graph whose node makes a different value each time. The result is cached by its topic. */
const build = () =>
  new StateGraph(State)
    .addNode("make", () => ({ made: randomUUID() }), { cachePolicy: { keyFunc: ([state]) => topicOf(state) } })
    .addNode("look", ({ topic, thing }: { topic: string; thing: Map<string, number> | Set<number> }) => ({
      seen: [`${topic} on ${thing.constructor.name}(${thing.size})`],
    }))
    .addEdge(START, "make")
    .addConditionalEdges("make", ({ topic }) => things.map((thing) => new Send("look", { topic, thing })), ["look"])
    .addEdge("look", END)
    .compile();

const topicOf = (state: unknown) => z.object({ topic: z.string() }).parse(state).topic;

export const graph = build();
export const twin = build();
