import { setTimeout as sleep } from "node:timers/promises";
import { AIMessage } from "@langchain/core/messages";
import { END, type LangGraphRunnableConfig, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";

type Work = (config: LangGraphRunnableConfig) => Promise<unknown>;

/** Returns a graph of one node, whose last message has this content. */
export const saying = (content: unknown, work: Work = async () => {}) =>
  new StateGraph(MessagesAnnotation)
    .addNode("say", async (_, config: LangGraphRunnableConfig) => {
      await work(config);
      return { messages: [new AIMessage({ content: content as string })] };
    })
    .addEdge(START, "say")
    .addEdge("say", END)
    .compile();

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
const imagePart = { type: "image", data: pixel, mimeType: "image/png" };

export const simpleText = saying("This is a simple text response for testing.");
export const image = saying([imagePart]);
export const audio = saying([{ type: "audio", data: silence, mimeType: "audio/wav" }]);
export const embeddedResource = saying([
  {
    type: "resource",
    resource: { uri: "test://embedded-resource", mimeType: "text/plain", text: "This is an embedded resource content." },
  },
]);
export const multiple = saying([
  { type: "text", text: "Multiple content types test:" },
  imagePart,
  {
    type: "resource",
    resource: { uri: "test://mixed-content-resource", mimeType: "application/json", text: '{"test":"data","value":123}' },
  },
]);

export const failing = saying("never", async () => {
  throw new Error("This tool intentionally returns an error for testing");
});

export const logging = saying("logged", async ({ writer }) => {
  for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
    writer?.({ level: "info", data });
    await sleep(50);
  }
});

export const progressing = saying("done", async ({ writer }) => {
  for (const progress of [0, 50, 100]) {
    writer?.({ progress, total: 100 });
    await sleep(50);
  }
});
