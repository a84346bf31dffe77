import { AIMessage } from "@langchain/core/messages";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { z } from "zod";

const State = Annotation.Root({ said: Annotation<string>() });
const say = (said: string) =>
  new StateGraph(State)
    .addNode("say", () => ({ said }))
    .addEdge(START, "say")
    .addEdge("say", END);

export const builder = say("builder");
export const promise = Promise.resolve(say("promise").compile());
export const factory = async (config: LangGraphRunnableConfig) => say(`factory for ${config.configurable?.who ?? "nobody"}`).compile();
export const agent = createAgent({ model: new FakeListChatModel({ responses: [new AIMessage("agent").text] }), tools: [] });

const Described = new StateSchema({ city: z.string().describe("Where it is"), people: z.number().default(0) });
const Context = z.object({ language: z.string().default("en").describe("Language of the answer") });

/** A graph whose schemas have descriptions. */
export const described = new StateGraph(Described, { context: Context })
  .addNode("count", () => ({ people: 1 }))
  .addEdge(START, "count")
  .addEdge("count", END)
  .compile();
