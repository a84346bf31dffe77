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

/** Makes something that is never the same twice, and is remembered by its topic for as long as may be. */
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
