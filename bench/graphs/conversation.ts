import { AIMessage } from "@langchain/core/messages";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";

const letters = "abcdefghijklmnopqrstuvwxyz ";
/** Returns text that hardly compresses. */
const randomText = (length: number) => Array.from({ length }, () => letters[Math.floor(Math.random() * letters.length)]).join("");

/** Answers every message with a message of 200 characters. */
export const graph = new StateGraph(MessagesAnnotation)
  .addNode("answer", () => ({ messages: [new AIMessage(randomText(200))] }))
  .addEdge(START, "answer")
  .addEdge("answer", END)
  .compile();
