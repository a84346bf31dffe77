import { AIMessage, HumanMessage } from "@langchain/core/messages";
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
    expect(reply.text).toBe('This is a rehearsal answer to "Why do rivers bend?".');
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

  test("repeats only the beginning of a long text", async () => {
    const reply = await chat().invoke(`Summarise this. ${"Rivers carry water to the sea. ".repeat(50)}`);
    expect(reply.text).toContain("Summarise this. Rivers carry water");
    expect(reply.text.length).toBeLessThan(300);
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
    ["What is the weather in Paris?", [{ name: "get_weather", args: { city: "What is the weather in Paris?" } }]],
    ["Keep a note: buy milk", [{ name: "write_note", args: { text: "buy milk" } }]],
    ["Hello there", []],
  ] as const)("the one that fits is called with what the prompt says: %s", async ([prompt, expected]) => {
    expect(callsOf(await chat().bindTools(tools).invoke(prompt))).toEqual(expected);
  });

  test("none where none may be called; one where one must be; that one which is named", async () => {
    expect((await chat().bindTools(tools, { tool_choice: "none" }).invoke("What is 2 + 2?")).tool_calls).toEqual([]);
    expect((await chat().bindTools(tools, { tool_choice: "required" }).invoke("Hello there")).tool_calls).toHaveLength(1);
    const named = await chat().bindTools(tools, { tool_choice: "write_note" }).invoke("What is 2 + 2?");
    expect(callsOf(named)).toMatchObject([{ name: "write_note" }]);
  });

  test("one at a time, with parallel calls or without", async () => {
    for (const parallel_tool_calls of [true, false]) {
      const reply = await chat().bindTools(tools, { parallel_tool_calls }).invoke("Note the weather, and what is 2 + 2?");
      expect(callsOf(reply)).toEqual([{ name: "calculate", args: { expression: "2 + 2" } }]);
    }
  });

  test("calls come in pieces on a stream and are whole when joined", async () => {
    const pieces = [];
    for await (const piece of await chat().bindTools(tools).stream("What is 17 * 7?")) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(5);
    const whole = pieces.reduce((all, piece) => all.concat(piece));
    expect(callsOf(whole)).toEqual([{ name: "calculate", args: { expression: "17 * 7" } }]);
  });

  test("the result of a tool ends an agent's loop and is the answer", async () => {
    const agent = createAgent({ model: chat(), tools });
    const { messages } = await agent.invoke({ messages: [new HumanMessage("What is 17 * 7?")] });
    const called = messages.filter((message) => AIMessage.isInstance(message)).flatMap((message) => message.tool_calls ?? []);
    expect(called.map(({ name }) => name)).toEqual(["calculate"]);
    expect(messages.at(-1)?.text).toBe('This is a rehearsal answer to "What is 17 * 7?". The tool calculate returned: 17 * 7 is 119');
  });

  test("an agent with a form for its answer gets it filled", async () => {
    const agent = createAgent({ model: chat(), tools: [weather], responseFormat: z.object({ city: z.string(), summary: z.string() }) });
    const { structuredResponse } = await agent.invoke({ messages: [new HumanMessage("What is the weather in Paris?")] });
    expect(structuredResponse).toMatchObject({ summary: expect.stringContaining("Paris") });
  });
});
