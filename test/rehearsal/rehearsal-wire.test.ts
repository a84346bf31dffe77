import { afterAll, expect, test } from "vitest";
import { startRehearsal } from "../../src/rehearsal/server.ts";

const rehearsal = await startRehearsal();
afterAll(rehearsal.stop);

const send = (body: unknown) =>
  fetch(`${rehearsal.baseUrl}/chat/completions`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
const say = (content: string, options: object = {}) => send({ model: "any", messages: [{ role: "user", content }], ...options });

const text = 'This is a rehearsal answer to "hello".';

test("an answer has the form of the original", async () => {
  const answer = await (await say("hello")).json();
  expect(answer).toEqual({
    id: expect.stringMatching(/^chatcmpl-/),
    object: "chat.completion",
    created: expect.any(Number),
    model: "rehearsal",
    system_fingerprint: "rehearsal",
    choices: [{ index: 0, message: { role: "assistant", content: text, refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 12, completion_tokens: 11, total_tokens: 23 },
  });
});

test("a stream has the form of the original: role, pieces, reason, usage, the end", async () => {
  const response = await say("hello", { stream: true, stream_options: { include_usage: true } });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const lines = (await response.text()).split("\n\n").filter(Boolean);
  expect(lines.pop()).toBe("data: [DONE]");
  const chunks = lines.map((line) => JSON.parse(line.slice("data: ".length)));
  expect(chunks[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
  expect(chunks.at(-2).choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 23 }, model: "rehearsal", system_fingerprint: "rehearsal" });
  expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
});

test("n, stop and the limits on tokens are kept", async () => {
  const three = await (await say("hello", { n: 3 })).json();
  expect(three.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
  const stopped = await (await say("hello", { stop: ["lo"] })).json();
  expect(stopped.choices[0]).toMatchObject({ message: { content: 'This is a rehearsal answer to "hel' }, finish_reason: "stop" });
  for (const limit of [{ max_tokens: 2 }, { max_completion_tokens: 2 }]) {
    const short = await (await say("hello", limit)).json();
    expect(short).toMatchObject({
      choices: [{ message: { content: "This is" }, finish_reason: "length" }],
      usage: { completion_tokens: 2 },
    });
  }
});

test("the models are listed", async () => {
  const list = await (await fetch(`${rehearsal.baseUrl}/models`)).json();
  expect(list).toMatchObject({ object: "list", data: [{ id: "rehearsal", object: "model" }] });
  expect(await (await fetch(`${rehearsal.baseUrl}/models/rehearsal`)).json()).toEqual(list.data[0]);
  expect((await fetch(`${rehearsal.baseUrl}/models/other`)).status).toBe(404);
});

const user = { role: "user", content: "hello" };
const called = { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }] };
const f = { type: "function", function: { name: "f" } };

test.for<[string, unknown, string | null]>([
  ["no JSON", "{", null],
  ["no object", "[]", null],
  ["no model", { messages: [user] }, "model"],
  ["no messages", { model: "any", messages: [] }, "messages"],
  ["an unknown role", { model: "any", messages: [{ role: "boss", content: "x" }] }, "messages[0].role"],
  ["too hot", { model: "any", messages: [user], temperature: 3 }, "temperature"],
  ["a choice without tools", { model: "any", messages: [user], tool_choice: "required" }, "tool_choice"],
  [
    "a choice of no given tool",
    { model: "any", messages: [user], tools: [f], tool_choice: { type: "function", function: { name: "g" } } },
    "tool_choice",
  ],
  [
    "a tool's answer that nobody asked for",
    { model: "any", messages: [user, { role: "tool", tool_call_id: "c1", content: "x" }] },
    "messages[1]",
  ],
  ["a call without an answer", { model: "any", messages: [user, called, user] }, "messages[2]"],
])("bad input is refused in the original's words: %s", async ([, body, param]) => {
  const response = await send(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: { message: expect.any(String), type: "invalid_request_error", param, code: null } });
});

test("other paths, other methods, and too much of everything", async () => {
  const unknown = await fetch(`${rehearsal.baseUrl}/audio/speech`, { method: "POST", body: "{}" });
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ error: { type: "invalid_request_error", code: "unknown_url" } });
  expect((await fetch(`${rehearsal.baseUrl}/chat/completions`)).status).toBe(405);
  const large = await say("x".repeat(10 * 1024 * 1024));
  expect(large.status).toBe(413);
  expect(await large.json()).toMatchObject({ error: { code: "request_too_large" } });
});

test("a long prompt is answered quickly, whatever it is made of", async () => {
  for (const piece of ["{[", "- a: b\n", '"', "1 + ", "A b, ", "((((", "task: x ", "a.b@"]) {
    const started = performance.now();
    const schema = { type: "object", properties: { title: { type: "string" }, count: { type: "number" } }, required: ["title", "count"] };
    const response = await say(piece.repeat(500_000 / piece.length), {
      response_format: { type: "json_schema", json_schema: { name: "x", schema } },
    });
    expect(response.status).toBe(200);
    expect(performance.now() - started, piece).toBeLessThan(2_000);
  }
});

const embed = (body: object) =>
  fetch(`${rehearsal.baseUrl}/embeddings`, { method: "POST", body: JSON.stringify({ model: "any", ...body }) });
const cosine = (one: number[], other: number[]) => one.reduce((sum, number, index) => sum + number * (other[index] ?? 0), 0);

test("embeddings have the form of the original, and are the same every time", async () => {
  const answer = await (await embed({ input: ["one river", "two hills"], dimensions: 64 })).json();
  expect(answer).toEqual({
    object: "list",
    model: "any",
    data: [0, 1].map((index) => ({ object: "embedding", index, embedding: expect.any(Array) })),
    usage: { prompt_tokens: 6, total_tokens: 6 },
  });
  const again = await (await embed({ input: "two hills", dimensions: 64, encoding_format: "base64" })).json();
  const { buffer, byteOffset } = Buffer.from(again.data[0].embedding, "base64");
  expect([...new Float32Array(buffer.slice(byteOffset, byteOffset + 4 * 64))]).toEqual(answer.data[1].embedding);
  expect((await (await embed({ input: [1, 2, 3] })).json()).data[0].embedding).toHaveLength(1_536);
});

test("texts that share words are nearer to each other than those that share none", async () => {
  const input = ["Rivers run to the sea", "the river is running", "a hill is high", "???"];
  const { data } = await (await embed({ input })).json();
  const [rivers, river, hill, marks] = data.map(({ embedding }: { embedding: number[] }) => embedding);
  expect(cosine(rivers, river)).toBeGreaterThan(0.5);
  for (const other of [hill, marks]) expect(Math.abs(cosine(rivers, other))).toBeLessThan(0.2);
  expect(cosine(marks, marks)).toBeCloseTo(1, 5);
});

test.each([
  {},
  { input: "" },
  { input: [] },
  { input: 7 },
  { input: ["a", 1] },
  { input: "a", dimensions: 0 },
  { input: "a", dimensions: 1e9 },
])("embeddings of %j are refused", async (body) => {
  const response = await embed(body);
  expect({ status: response.status, ...(await response.json()) }).toMatchObject({ status: 400, error: { type: "invalid_request_error" } });
});
