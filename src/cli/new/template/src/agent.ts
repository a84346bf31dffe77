import { tool } from "@langchain/core/tools";
import { react } from "ensemble/patterns";
import { z } from "zod";

/** Replace this tool with your own: a search, a query, a call of your service. */
const weather = tool(({ city }) => `It is sunny in ${city}.`, {
  name: "weather",
  description: "Tells the weather in a city",
  schema: z.object({ city: z.string() }),
});

/** An agent that calls its tools until it can answer. `langgraph.json` lists it as "agent". */
export const graph = react({
  name: "agent",
  instructions: "You answer in one short sentence.",
  tools: [weather],
});
