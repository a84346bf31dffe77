import { END, MessagesValue, ReducedValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";

const State = new StateSchema({
  task: z.string().trim().min(1).max(1_000_000),
  messages: MessagesValue,
  notes: new ReducedValue(
    z.array(z.string()).default(() => []),
    { inputSchema: z.string(), reducer: (all, more) => all.concat(more) },
  ),
});

const Member = z.object({ name: z.string(), weight: z.number().positive().default(1) });
const Context = z.object({
  limit: z.number().int().positive().default(3),
  language: z.string(),
  roster: z
    .array(Member)
    .default([])
    .superRefine((members, context) => {
      const twice = members.findIndex(({ name }, index) => members.slice(0, index).some((other) => other.name === name));
      if (twice >= 0) context.addIssue({ code: "custom", path: [twice, "name"], message: "there is another one of this name" });
    }),
});

/** A graph with strict schemas for its input and its context. */
export const graph = new StateGraph(State, { context: Context })
  .addNode("read", ({ task }) => ({ notes: `read ${task}` }))
  .addEdge(START, "read")
  .addEdge("read", END)
  .compile();

/** A graph without a context, whose state is a plain zod object. */
export const plain = new StateGraph(z.object({ task: z.string().min(1), done: z.boolean().default(false) }))
  .addNode("read", () => ({ done: true }))
  .addEdge(START, "read")
  .addEdge("read", END)
  .compile();
