import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { END, interrupt, type LangGraphRunnableConfig, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const State = new StateSchema({ messages: MessagesValue });
type Said = { messages: BaseMessage[] };

const model = () => new ChatOpenAI({ model: "scripted", maxRetries: 0 });

/** Says back what it was told, and how many messages it got. */
export const plain = new StateGraph(State)
  .addNode("say", ({ messages }: Said) => ({
    messages: [new AIMessage({ content: `${messages.length}: ${messages.map(({ type, text }) => `${type} ${text}`).join(" | ")}` })],
  }))
  .addEdge(START, "say")
  .addEdge("say", END)
  .compile();

/** A graph whose first node classifies the message, and whose second node answers it. Only the answer is in the messages. */
export const classified = new StateGraph(State)
  .addNode("classify", async ({ messages }: Said) => {
    await model().invoke(messages);
    return {};
  })
  .addNode("answer", async ({ messages }: Said) => ({ messages: [await model().invoke(messages)] }))
  .addEdge(START, "classify")
  .addEdge("classify", "answer")
  .addEdge("answer", END)
  .compile();

/** The same graph as a subgraph of another. */
export const wrapped = new StateGraph(State).addNode("inner", classified).addEdge(START, "inner").addEdge("inner", END).compile();

/** A graph whose only node writes a draft first. The draft is not in the messages. */
export const drafting = new StateGraph(State)
  .addNode("write", async ({ messages }: Said) => {
    await model().invoke(messages);
    return { messages: [await model().invoke(messages)] };
  })
  .addEdge(START, "write")
  .addEdge("write", END)
  .compile();

/** A graph that asks a person before it answers. */
export const asking = new StateGraph(State)
  .addNode("ask", () => ({ messages: [new AIMessage(`You like ${interrupt("Which colour do you like?")}.`)] }))
  .addEdge(START, "ask")
  .addEdge("ask", END)
  .compile();

/** A graph that asks for an approval in the form of LangChain's middleware, and says what it got. */
export const approving = new StateGraph(State)
  .addNode("approve", () => {
    const answer = interrupt({ action_requests: [{ name: "pay", args: { sum: 9 } }], review_configs: [] });
    return { messages: [new AIMessage(JSON.stringify(answer))] };
  })
  .addEdge(START, "approve")
  .addEdge("approve", END)
  .compile();

const Context = z.object({ client_tools: z.array(z.any()).default([]) });

/** A graph that gives the caller's tools to its model. */
export const tooled = new StateGraph(State, { context: Context })
  .addNode("model", async ({ messages }: Said, { context }: LangGraphRunnableConfig<z.output<typeof Context>>) => ({
    messages: [
      await model()
        .bindTools(context?.client_tools ?? [])
        .invoke(messages),
    ],
  }))
  .addEdge(START, "model")
  .addEdge("model", END)
  .compile();

export const failing = new StateGraph(State)
  .addNode("fail", () => {
    throw new RangeError("The oven is cold.");
  })
  .addEdge(START, "fail")
  .addEdge("fail", END)
  .compile();

/** A graph without messages, which is not a model. */
export const silent = new StateGraph(new StateSchema({ city: z.string().default("") }))
  .addNode("visit", () => ({ city: new HumanMessage("Rome").text }))
  .addEdge(START, "visit")
  .addEdge("visit", END)
  .compile();
