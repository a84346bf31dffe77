import { AIMessage } from "@langchain/core/messages";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";

const picture = { type: "image_url", image_url: { url: "http://a.test/picture.png" } };
const call = { type: "tool_call" as const, id: "call_1", name: "look", args: { at: 1 } };
const spoilt = { type: "invalid_tool_call" as const, id: "call_2", name: "look", args: "{", error: "no JSON" };

/** A graph whose messages contain several texts and tool calls. */
export const graph = new StateGraph(MessagesAnnotation)
  .addNode("say", () => ({
    messages: [
      new AIMessage({
        id: "said",
        content: [{ type: "text", text: "look" }, picture],
        tool_calls: [call],
        invalid_tool_calls: [spoilt],
      }),
      new AIMessage({ id: "plain", content: "look", tool_calls: [call], invalid_tool_calls: [spoilt] }),
      new AIMessage({
        id: "thought",
        content: [
          { type: "thinking", thinking: "hm", signature: "s" },
          { type: "tool_use", id: "call_1", name: "look", input: { at: 1 } },
        ],
        tool_calls: [call],
        response_metadata: { model_provider: "anthropic" },
      }),
    ],
  }))
  .addEdge(START, "say")
  .addEdge("say", END)
  .compile();
