import { beforeEach, expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, model } = await startOpenAi();
const call = { id: "call_7", name: "weather", args: { city: "Rome" } };
beforeEach(() => model.script({ toolCall: call }, { tokens: ["It is sunny."] }));

const tools = [
  {
    type: "function" as const,
    function: { name: "weather", description: "The weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];
const question = { role: "user" as const, content: "How is the weather in Rome?" };

test("the graph's model calls a tool of the caller, and answers with the tool's result", async () => {
  const asked = await openai.chat.completions.create({ model: "tooled", messages: [question], tools });
  expect(model.requests[0]?.tools).toMatchObject(tools);
  const [choice] = asked.choices;
  expect(choice).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: null,
      tool_calls: [{ id: "call_7", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } }],
    },
  });
  if (!choice) throw new Error("There is no choice.");
  const result = { role: "tool" as const, tool_call_id: "call_7", content: "sunny" };
  const answered = await openai.chat.completions.create({ model: "tooled", messages: [question, choice.message, result], tools });
  expect(answered.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "It is sunny." } });
  expect(model.requests[1]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
});

test("calls of the caller's tools are streamed, and continue on a thread", async () => {
  const headers = { "x-thread-id": crypto.randomUUID() };
  const stream = openai.chat.completions.stream({ model: "tooled", messages: [question], tools }, { headers });
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.message.tool_calls?.[0]).toMatchObject({ id: "call_7", function: { name: "weather", arguments: '{"city":"Rome"}' } });
  const result = { role: "tool" as const, tool_call_id: "call_7", content: "sunny" };
  const answered = await openai.chat.completions.create({ model: "tooled", messages: [result], tools }, { headers });
  expect(answered.choices[0]?.message.content).toBe("It is sunny.");
});

test("a graph without a place for them refuses the caller's tools", async () => {
  for (const name of ["plain", "chat", "react"]) {
    const asking = openai.chat.completions.create({ model: name, messages: [question], tools });
    await expect(asking).rejects.toMatchObject({ status: 400, param: "tools", message: expect.stringContaining("client_tools") });
  }
  const free = await openai.chat.completions.create({ model: "plain", messages: [question], tools, tool_choice: "none" });
  expect(free.choices[0]?.finish_reason).toBe("stop");
  const forced = openai.chat.completions.create({ model: "tooled", messages: [question], tools, tool_choice: "required" });
  await expect(forced).rejects.toMatchObject({ status: 400, param: "tool_choice" });
});
