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

test("a graph without a place for the caller's tools answers without them", async () => {
  model.script({ tokens: ["Hello."] });
  for (const name of ["chat", "react"]) {
    const answered = await openai.chat.completions.create({ model: name, messages: [question], tools });
    expect(answered.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Hello." } });
  }
  expect(model.requests).toHaveLength(2);
  expect(JSON.stringify(model.requests)).not.toContain("The weather");
});

test("a call that the caller demands is refused if the graph cannot be told to make it", async () => {
  const demand = (name: string, choice: "required" | { type: "function"; function: { name: string } }) =>
    openai.chat.completions.create({ model: name, messages: [question], tools, tool_choice: choice });
  const refusal = { status: 400, param: "tool_choice" };
  await expect(demand("plain", "required")).rejects.toMatchObject({ ...refusal, message: expect.stringContaining("client_tools") });
  await expect(demand("chat", { type: "function", function: { name: "weather" } })).rejects.toMatchObject(refusal);
  await expect(demand("tooled", "required")).rejects.toMatchObject({ ...refusal, message: expect.stringContaining("client_tool_choice") });
  await openai.chat.completions.create({ model: "tooled", messages: [question], tools, tool_choice: "none" });
  expect(model.requests).toHaveLength(1);
  expect(JSON.stringify(model.requests)).not.toContain("The weather");
});
