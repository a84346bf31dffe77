import { beforeEach, expect, test } from "vitest";
import { eventually } from "../sse.ts";
import { startOpenAi } from "./service.ts";

const { openai, model, client, fetch, db } = await startOpenAi();
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

const messages = [{ role: "user" as const, content: "Hello?" }];

/** Streams a completion, and returns its pieces of text, its last reason and its usage. */
async function stream(name: string, more: object = {}) {
  const texts: string[] = [];
  let finish: string | null | undefined;
  let usage: object | null | undefined;
  for await (const chunk of await openai.chat.completions.create({ model: name, messages, stream: true, ...more })) {
    const [choice] = chunk.choices;
    if (choice?.delta.content) texts.push(choice.delta.content);
    finish = choice?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  return { texts, finish, usage };
}

test.each(["chat", "react"])("the tokens of the shipped pattern %s arrive one by one", async (pattern) => {
  const streamed = await stream(pattern, { stream_options: { include_usage: true } });
  expect(streamed).toMatchObject({ texts: ["Hel", "lo."], finish: "stop", usage: { prompt_tokens: 1, completion_tokens: 2 } });
});

test("the bytes of a stream are chunks, the usage and the end", async () => {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "classified", messages, stream: true, stream_options: { include_usage: true } }),
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const text = (await response.text()).replaceAll(": heartbeat\n", "");
  const frames = text.split("\n\n").slice(0, -1);
  expect(frames.at(-1)).toBe("data: [DONE]");
  const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame.replace(/^data: /, "")));
  const { id, created } = chunks[0];
  const chunk = (choices: object[], usage: object | null = null) => ({
    id,
    created,
    model: "classified",
    object: "chat.completion.chunk",
    choices,
    usage,
  });
  const delta = (part: object, finish: string | null = null) => chunk([{ index: 0, delta: part, logprobs: null, finish_reason: finish }]);
  expect(chunks).toEqual([
    delta({ role: "assistant", content: "" }),
    delta({ content: "Hel" }),
    delta({ content: "lo." }),
    delta({}, "stop"),
    chunk([], {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    }),
  ]);
});

test.each(["classified", "wrapped"])("only the answer of %s is streamed, not what other nodes ask the model", async (name) => {
  model.script({ tokens: ["greet", "ing"] }, { tokens: ["Good ", "day."] });
  expect((await stream(name)).texts).toEqual(["Good ", "day."]);
});

test("the rounds of an agent are streamed with an empty line between them", async () => {
  const calls = { tokens: ["Let me ", "see."], toolCall: { id: "call_1", name: "calculate", args: { expression: "6 * 7" } } };
  model.script(calls, { tokens: ["It is ", "42."] });
  const assistant = await client.assistants.create({ graphId: "react", name: "Calculator", context: { tools: ["calculate"] } });
  const { texts } = await stream(assistant.assistant_id);
  expect(texts.join("")).toBe("Let me see.\n\nIt is 42.");
  model.script(calls, { tokens: ["It is ", "42."] });
  const whole = await openai.chat.completions.create({ model: assistant.assistant_id, messages });
  expect(whole.choices[0]?.message.content).toBe("Let me see.\n\nIt is 42.");
});

test("a stream whose text is not the answer ends with an error that says what to do", async () => {
  model.script({ tokens: ["A draft."] }, { tokens: ["The answer."] });
  await expect(stream("drafting")).rejects.toMatchObject({ code: "answer_changed", message: expect.stringContaining("nostream") });
  model.script({ tokens: ["A draft."] }, { tokens: ["The answer."] });
  const whole = await openai.chat.completions.create({ model: "drafting", messages });
  expect(whole.choices[0]?.message.content).toBe("The answer.");
});

test("a message without tokens arrives as a whole", async () => {
  expect((await stream("plain")).texts).toEqual(["1: human Hello?"]);
});

test("a failed run ends the stream with an error", async () => {
  await expect(stream("failing")).rejects.toMatchObject({ code: "run_failed", message: expect.stringContaining("The oven is cold.") });
});

test.each([true, false])("a client that disconnects cancels its run (streaming: %s)", async (streams) => {
  model.script({ tokens: ["Wait"], hang: true });
  const thread = crypto.randomUUID();
  const leaving = new AbortController();
  const answering = openai.chat.completions
    .create({ model: "chat", messages, stream: streams }, { signal: leaving.signal, headers: { "x-thread-id": thread } })
    .then(async (answer) => {
      for await (const _ of answer as AsyncIterable<unknown>); // reads until it leaves
    });
  answering.catch(() => {});
  await expect.poll(() => model.requests.length).toBe(1);
  leaving.abort();
  await eventually(async () => {
    const { rows } = await db.query("select status from runs where thread_id = $1", [thread]);
    expect(rows).toEqual([{ status: "interrupted" }]);
  });
});
