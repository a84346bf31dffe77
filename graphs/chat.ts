import { END, type GraphNode, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const State = new StateSchema({ messages: MessagesValue });

const Context = z.object({
  model: z
    .string()
    .default(process.env.ENSEMBLE_MODEL || "gpt-5-mini")
    .describe("Model that answers"),
  instructions: z.string().default("You are a helpful assistant.").describe("System prompt"),
});

const answer: GraphNode<typeof State, z.input<typeof Context>> = async ({ messages }, config) => {
  const { model, instructions } = Context.parse(config.context ?? {});
  const reply = await new ChatOpenAI({ model }).invoke([{ role: "system", content: instructions }, ...messages], config);
  return { messages: [reply] };
};

/** Talks with a model behind any OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY). */
export const graph = new StateGraph(State, { context: Context })
  .addNode("answer", answer)
  .addEdge(START, "answer")
  .addEdge("answer", END)
  .compile({ name: "chat" });
