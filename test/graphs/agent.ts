import { type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { END, type LangGraphRunnableConfig, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: "weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});

async function callModel({ messages }: typeof MessagesAnnotation.State, config: LangGraphRunnableConfig) {
  const baseURL = String(config.configurable?.base_url);
  const model = new ChatOpenAI({ model: "scripted", apiKey: "none", maxRetries: 0, configuration: { baseURL } }).bindTools([weather]);
  return { messages: [await model.invoke(messages, config)] };
}

const next = ({ messages }: { messages: BaseMessage[] }) => {
  const last = messages.at(-1);
  const calls = last && !ToolMessage.isInstance(last) && "tool_calls" in last ? (last.tool_calls as unknown[]) : [];
  return calls.length > 0 ? "tools" : END;
};

/** A model with a tool. Where the model is comes from the configurable. */
export const graph = new StateGraph(MessagesAnnotation)
  .addNode("model", callModel)
  .addNode("tools", new ToolNode([weather]))
  .addEdge(START, "model")
  .addConditionalEdges("model", next, ["tools", END])
  .addEdge("tools", "model")
  .compile();

/** The same, inside another graph. */
export const inside = new StateGraph(MessagesAnnotation).addNode("agent", graph).addEdge(START, "agent").addEdge("agent", END).compile();
