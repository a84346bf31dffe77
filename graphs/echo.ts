import { AIMessage } from "@langchain/core/messages";
import { END, type GraphNode, MessagesValue, START, StateGraph, StateSchema } from "@langchain/langgraph";

const State = new StateSchema({ messages: MessagesValue });

const repeat: GraphNode<typeof State> = ({ messages }) => ({
  messages: [new AIMessage(String(messages.at(-1)?.text ?? ""))],
});

/** A graph that repeats the last message. It calls no model, so it can show that a service works. */
export const graph = new StateGraph(State)
  .addNode("repeat", repeat)
  .addEdge(START, "repeat")
  .addEdge("repeat", END)
  .compile({ name: "echo" });
