import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startRehearsal } from "../../src/rehearsal/server.ts";

const rehearsal = await startRehearsal();
afterAll(rehearsal.stop);

const chat = (options: object = {}) =>
  new ChatOpenAI({ model: "any", apiKey: "none", maxRetries: 0, configuration: { baseURL: rehearsal.baseUrl }, ...options });

const calculate = tool(async ({ expression }) => `${expression} is 119`, {
  name: "calculate",
  description: "Evaluates an arithmetic expression",
  schema: z.object({ expression: z.string() }),
});
const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: "get_weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string(), unit: z.enum(["celsius", "fahrenheit"]).optional() }),
});
const note = tool(async ({ text }) => `noted: ${text}`, {
  name: "write_note",
  description: "Keeps a note of something",
  schema: z.object({ text: z.string() }),
});
const tools = [calculate, weather, note];

const callsOf = ({ tool_calls }: { tool_calls?: { name: string; args: unknown }[] }) =>
  tool_calls?.map(({ name, args }) => ({ name, args }));

describe("chat", () => {
  test("answers from the last message, says who it is and what it used", async () => {
    const reply = await chat().invoke("Why do rivers bend?");
    expect(reply.text).toContain("rivers");
    expect(reply.response_metadata).toMatchObject({ model_name: "rehearsal", system_fingerprint: "rehearsal" });
    const { input_tokens: input, output_tokens: output, total_tokens: total } = reply.usage_metadata ?? {};
    expect(input).toBeGreaterThan(4);
    expect(output).toBeGreaterThan(4);
    expect(total).toBe(Number(input) + Number(output));
  });

  test("says the same again to the same, under another id", async () => {
    const [first, second] = await Promise.all([chat().invoke("Why do rivers bend?"), chat().invoke("Why do rivers bend?")]);
    expect(second.text).toBe(first.text);
    expect(second.usage_metadata).toEqual(first.usage_metadata);
    expect(second.id).not.toBe(first.id);
  });

  test("brings a long text down to its main sentences", async () => {
    const text = "Rivers carry water to the sea. ".repeat(3) + "Rivers bend because water erodes the outer bank. ".repeat(20);
    const reply = await chat().invoke(`Summarise this. ${text}`);
    expect(reply.text.length).toBeLessThan(500);
    expect(reply.text).toContain("erodes the outer bank");
  });

  test("streams in pieces that are together what it says at once, with the usage", async () => {
    const whole = await chat().invoke("Why do rivers bend?");
    const pieces = [];
    for await (const piece of await chat({ streamUsage: true }).stream("Why do rivers bend?")) pieces.push(piece);
    expect(pieces.filter(({ text }) => text !== "").length).toBeGreaterThan(5);
    expect(pieces.map(({ text }) => text).join("")).toBe(whole.text);
    expect(pieces.findLast((piece) => piece.usage_metadata)?.usage_metadata).toMatchObject({ ...tokensOnly(whole.usage_metadata) });
  });
});

const tokensOnly = (usage: AIMessage["usage_metadata"]) => ({ input_tokens: usage?.input_tokens, output_tokens: usage?.output_tokens });

describe("tools", () => {
  test.for([
    ["What is 17 * (4 + 3)?", [{ name: "calculate", args: { expression: "17 * (4 + 3)" } }]],
    ["How much is 12 times 9?", [{ name: "calculate", args: { expression: "12 * 9" } }]],
    ["What is the weather in Paris?", [{ name: "get_weather", args: { city: "Paris" } }]],
    ['Keep a note of "buy milk"', [{ name: "write_note", args: { text: "buy milk" } }]],
  ] as const)("the one that fits is called with what the prompt says: %s", async ([prompt, expected]) => {
    expect(callsOf(await chat().bindTools(tools).invoke(prompt))).toEqual(expected);
  });

  test("several at once, for the parts of a task", async () => {
    const reply = await chat().bindTools(tools).invoke("What is the weather in Paris and Rome, and what is 2 + 2?");
    expect(callsOf(reply)).toEqual([
      { name: "get_weather", args: { city: "Paris" } },
      { name: "get_weather", args: { city: "Rome" } },
      { name: "calculate", args: { expression: "2 + 2" } },
    ]);
    const one = await chat().bindTools(tools, { parallel_tool_calls: false }).invoke("What is the weather in Paris, and what is 2 + 2?");
    expect(one.tool_calls).toHaveLength(1);
  });

  test("none where none fits, or none may be called; one where one must be", async () => {
    expect((await chat().bindTools(tools).invoke("Hello there")).tool_calls).toEqual([]);
    expect((await chat().bindTools(tools, { tool_choice: "none" }).invoke("What is 2 + 2?")).tool_calls).toEqual([]);
    expect((await chat().bindTools(tools, { tool_choice: "required" }).invoke("Hello there")).tool_calls).toHaveLength(1);
    const named = await chat().bindTools(tools, { tool_choice: "write_note" }).invoke("What is 2 + 2?");
    expect(callsOf(named)).toMatchObject([{ name: "write_note" }]);
  });

  test("calls come in pieces on a stream and are whole when joined", async () => {
    const stream = await chat().bindTools(tools).stream("What is the weather in Paris, and what is 2 + 2?");
    let whole: Awaited<ReturnType<typeof stream.next>>["value"];
    for await (const piece of stream) whole = whole === undefined ? piece : whole.concat(piece);
    expect(callsOf(whole)).toEqual([
      { name: "get_weather", args: { city: "Paris" } },
      { name: "calculate", args: { expression: "2 + 2" } },
    ]);
  });

  test("what a tool answered is the answer", async () => {
    const asked = await chat().bindTools(tools).invoke("What is 17 * 7?");
    const result = new ToolMessage({ content: "17 * 7 is 119", tool_call_id: asked.tool_calls?.[0]?.id ?? "" });
    const reply = await chat()
      .bindTools(tools)
      .invoke([new HumanMessage("What is 17 * 7?"), asked, result]);
    expect(reply.tool_calls).toEqual([]);
    expect(reply.text).toContain("119");
  });

  test("an agent's loop ends, also where one tool needs what another found", async () => {
    const agent = createAgent({ model: chat(), tools });
    const { messages } = await agent.invoke({ messages: [new HumanMessage("Calculate 17 * 7 and then keep a note of the result.")] });
    const called = messages.filter((message) => AIMessage.isInstance(message)).flatMap((message) => message.tool_calls ?? []);
    expect(called.map(({ name }) => name)).toEqual(["calculate", "write_note"]);
    expect(called[1]?.args).toMatchObject({ text: expect.stringContaining("119") });
    expect(messages.at(-1)?.text).toContain("119");
  });

  test("an agent with a form for its answer gets it filled", async () => {
    const agent = createAgent({ model: chat(), tools: [weather], responseFormat: z.object({ city: z.string(), summary: z.string() }) });
    const { structuredResponse } = await agent.invoke({ messages: [new HumanMessage("What is the weather in Paris?")] });
    expect(structuredResponse).toMatchObject({ city: "Paris" });
  });
});
