import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startScriptedModel } from "ensemble/testing";

// The scripted model gives the answers of a test, so that the test needs neither a key nor a network.
const model = await startScriptedModel();
after(() => model.close());
process.env.OPENAI_BASE_URL = model.baseUrl;
process.env.OPENAI_API_KEY = "test";
const { graph } = await import("./agent.ts");

test("the agent asks for the weather and answers", async () => {
  model.script({ toolCall: { id: "call_1", name: "weather", args: { city: "Oslo" } } }, { tokens: ["Sunny", "."] });
  const { messages } = await graph.invoke({ messages: [{ role: "user", content: "How is the weather in Oslo?" }] });
  assert.equal(messages.at(-1)?.text, "Sunny.");
  assert.match(JSON.stringify(model.requests[1]?.messages), /It is sunny in Oslo/);
});
