import { beforeEach, expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, model, client } = await startOpenAi();
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

test("a response has the graph's answer and the usage", async () => {
  const response = await openai.responses.create({ model: "chat", instructions: "Be brief.", input: "Hello?", max_output_tokens: 5 });
  expect(response).toMatchObject({
    id: expect.stringMatching(/^resp_/),
    object: "response",
    status: "completed",
    model: "chat",
    output_text: "Hello.",
    output: [
      { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: "Hello.", annotations: [] }] },
    ],
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("Be brief.");
});

test("a response continues the previous one, also one that is not the newest", async () => {
  const first = await openai.responses.create({ model: "plain", input: "1" });
  const ask = (input: string) => openai.responses.create({ model: "plain", input, previous_response_id: first.id });
  const expected = (last: string) => `3: human 1 | ai 1: human 1 | human ${last}`;
  expect((await ask("2")).output_text).toBe(expected("2"));
  expect((await ask("3")).output_text).toBe(expected("3"));
});

test("a response that is not stored leaves no thread and cannot be continued", async () => {
  const first = await openai.responses.create({ model: "plain", input: "1", store: false });
  const asking = openai.responses.create({ model: "plain", input: "2", previous_response_id: first.id });
  await expect(asking).rejects.toMatchObject({ status: 404, code: "previous_response_not_found" });
});

test("the events of a stream have OpenAI's names and order", async () => {
  const events: { type: string; sequence_number: number }[] = [];
  for await (const event of await openai.responses.create({ model: "chat", input: "Hello?", stream: true })) events.push(event);
  expect(events.map(({ type }) => type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
});

test("the SDK puts a streamed response together", async () => {
  const response = await openai.responses.stream({ model: "chat", input: [{ role: "user", content: "Hello?" }] }).finalResponse();
  expect(response).toMatchObject({ status: "completed", output_text: "Hello." });
});

test("the caller executes its own tool, and the next response continues with the result", async () => {
  model.script({ toolCall: { id: "call_7", name: "weather", args: { city: "Rome" } } }, { tokens: ["Sunny."] });
  const tools = [{ type: "function" as const, name: "weather", parameters: { type: "object", properties: {} }, strict: false }];
  const first = await openai.responses.stream({ model: "tooled", input: "How is Rome?", tools }).finalResponse();
  expect(first.output).toMatchObject([{ type: "function_call", call_id: "call_7", name: "weather", arguments: '{"city":"Rome"}' }]);
  const result = { type: "function_call_output" as const, call_id: "call_7", output: "sunny" };
  const next = await openai.responses.create({ model: "tooled", input: [result], tools, previous_response_id: first.id });
  expect(next.output_text).toBe("Sunny.");
  const history = [{ role: "user" as const, content: "How is Rome?" }, ...first.output.map((item) => item as never), result];
  model.script({ tokens: ["Still sunny."] });
  expect((await openai.responses.create({ model: "tooled", input: history, tools, store: false })).output_text).toBe("Still sunny.");
});

test("a question is the response, and the next response answers it", async () => {
  const first = await openai.responses.create({ model: "asking", input: "Paint!" });
  expect(first.output_text).toContain("Which colour");
  const next = await openai.responses.create({ model: "asking", input: "Red", previous_response_id: first.id });
  expect(next.output_text).toBe("You like Red.");
});

test("a failed run is a failed response in a stream, and an error otherwise", async () => {
  const events: string[] = [];
  for await (const { type } of await openai.responses.create({ model: "failing", input: "Hi", stream: true })) events.push(type);
  expect(events.at(-1)).toBe("response.failed");
  await expect(openai.responses.create({ model: "failing", input: "Hi" })).rejects.toMatchObject({ status: 400, code: "run_failed" });
});

test("what a response cannot do is refused", async () => {
  const refused = (more: object) => openai.responses.create({ model: "plain", input: "Hi", ...more } as never);
  await expect(refused({ conversation: "conv_1" })).rejects.toMatchObject({ status: 400, param: "conversation" });
  await expect(refused({ tools: [{ type: "web_search" }] })).rejects.toMatchObject({ status: 400, param: "tools[0]" });
  await expect(refused({ input: [{ type: "item_reference", id: "x" }] })).rejects.toMatchObject({ status: 400, param: "input[0]" });
  await expect(refused({ previous_response_id: "x" })).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
  expect(await client.runs.list(crypto.randomUUID()).catch(({ status }) => status)).toBe(404);
});
