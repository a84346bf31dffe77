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

const lookUp = tool(
  async ({ url }, { signal }: LangGraphRunnableConfig) => {
    const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "looked up" }] });
    return (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body, signal })).text();
  },
  { name: "look_up", description: "What is at an address", schema: z.object({ url: z.string() }) },
);

const forecast = tool(
  async function* ({ city }: { city: string }) {
    yield `sun over ${city}`;
    yield { hours: 5 };
    return "sunny for long";
  } as never,
  { name: "forecast", description: "The weather to come, bit by bit", schema: z.object({ city: z.string() }) },
);

const thermometer = tool(
  async () => {
    throw new RangeError("The thermometer is broken.");
  },
  { name: "thermometer", description: "How warm it is", schema: z.object({}) },
);
const tools = [weather, lookUp, forecast, thermometer];

async function callModel({ messages }: typeof MessagesAnnotation.State, config: LangGraphRunnableConfig) {
  const baseURL = String(config.configurable?.base_url);
  const model = new ChatOpenAI({ model: "scripted", apiKey: "none", maxRetries: 0, configuration: { baseURL } }).bindTools(tools);
  return { messages: [await model.invoke(messages, config)] };
}

const next = ({ messages }: { messages: BaseMessage[] }) => {
  const last = messages.at(-1);
  const calls = last && !ToolMessage.isInstance(last) && "tool_calls" in last ? (last.tool_calls as unknown[]) : [];
  return calls.length > 0 ? "tools" : END;
};

/** A graph with a model and tools. The address of the model is in `configurable`. */
export const graph = new StateGraph(MessagesAnnotation)
  .addNode("model", callModel)
  .addNode("tools", new ToolNode(tools))
  .addEdge(START, "model")
  .addConditionalEdges("model", next, ["tools", END])
  .addEdge("tools", "model")
  .compile();

/** The same graph, as a subgraph of another. */
export const inside = new StateGraph(MessagesAnnotation).addNode("agent", graph).addEdge(START, "agent").addEdge("agent", END).compile();

/** A graph whose node calls the model without its config. */
export const bare = new StateGraph(MessagesAnnotation)
  .addNode("model", async ({ messages }, { configurable }) => {
    const model = new ChatOpenAI({ model: "scripted", apiKey: "none", configuration: { baseURL: String(configurable?.base_url) } });
    return { messages: [await model.invoke(messages)] };
  })
  .addEdge(START, "model")
  .addEdge("model", END)
  .compile();
