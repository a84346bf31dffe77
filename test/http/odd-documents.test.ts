import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();

/** Documents that are valid JSON but may cause trouble on their way. */
const documents: [name: string, document: Record<string, unknown>][] = [
  ["NUL characters", { text: "a\u0000b", "key\u0000": ["\u0000"] }],
  ["lone surrogates", { text: "a\ud800b", "key\udfff": ["\udc00\ud800"] }],
  ["escapes that only look like those", { text: "\\u0000 \\ud800 \\\\u0000", "\\u0000": "\\" }],
  ["emoji and other planes", { "👩‍👩‍👧": "𝄞 é é \u2028\u2029" }],
  [
    "names of prototypes",
    JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}, "toString": "x", "hasOwnProperty": 0}'),
  ],
  ["names of our own", { values: 1, metadata: null, thread: "x", "": "empty", "a.b": 1, "a/b": 2, $ref: "#", "__interrupt__ ": [] }],
  ["numbers at the edge", { big: Number.MAX_SAFE_INTEGER, small: 5e-324, large: 1.7976931348623157e308, negative: -0.5 }],
  ["empty things", { object: {}, list: [], text: "", nothing: null, nested: [[], [{}]] }],
  ["long texts", { text: "x".repeat(2_000_000), ["k".repeat(100_000)]: "é".repeat(100_000) }],
  ["deep nesting", { deep: JSON.parse(`${"[".repeat(490)}1${"]".repeat(490)}`) }],
  [
    "objects that look like serialised ones",
    {
      a: { lc: 1, type: "constructor", id: ["nobody", "Nothing"], kwargs: {} },
      b: { lc: 2, type: "constructor", id: ["RegExp"], args: ["("] },
    },
  ],
  ["secrets to be filled in", { a: { lc: 1, type: "secret", id: ["PATH"] } }],
];

test.each(documents)("the metadata of threads keeps %s", async (_name, metadata) => {
  const { thread_id } = await client.threads.create({ metadata });
  expect(exact((await client.threads.get(thread_id)).metadata)).toBe(exact(metadata));
  expect((await client.threads.search({ metadata })).map((thread) => thread.thread_id)).toContain(thread_id);
  await client.threads.update(thread_id, { metadata: { added: 1 } });
  expect(exact((await client.threads.get(thread_id)).metadata)).toBe(exact({ ...metadata, added: 1 }));
});

test.each(documents)("the metadata, context and name of assistants keep %s", async (_name, metadata) => {
  const { assistant_id } = await client.assistants.create({ graphId: "steps", metadata, context: metadata });
  const stored = await client.assistants.get(assistant_id);
  expect(exact(stored.metadata)).toBe(exact(metadata));
  expect(exact(stored.context)).toBe(exact(metadata));
  expect((await client.assistants.search({ metadata })).map((assistant) => assistant.assistant_id)).toContain(assistant_id);
});

test.each(documents)("the metadata of runs keeps %s", async (_name, metadata) => {
  const { thread_id } = await client.threads.create();
  const { run_id } = await client.runs.create(thread_id, "steps", { input: {}, metadata });
  expect(await client.runs.join(thread_id, run_id)).toMatchObject({ last: "three" });
  const run = await client.runs.get(thread_id, run_id);
  expect(run.status).toBe("success");
  const ofGraph = { graph_id: "steps", assistant_id: run.assistant_id };
  expect(exact(run.metadata)).toBe(exact({ created_by: "system", ...ofGraph, ...metadata }));
  expect((await client.threads.getHistory(thread_id, { metadata })).length).toBeGreaterThan(0);
});

test.each(documents)("input becomes state, and is answered everywhere, with %s", async (_name, anything) => {
  const { thread_id } = await client.threads.create();
  const streamed: unknown[] = [];
  for await (const { event, data } of client.runs.stream(thread_id, "mirror", { input: { anything } })) {
    if (event === "values") streamed.push((data as { anything: unknown }).anything);
  }
  const [run] = await client.runs.list(thread_id);
  const joined = (await client.runs.join(thread_id, run?.run_id ?? "")) as { anything: unknown };
  const state = await client.threads.getState<{ anything: unknown }>(thread_id);
  const thread = await client.threads.get<{ anything: unknown }>(thread_id);
  const seen = [...streamed, joined.anything, state.values.anything, thread.values.anything];
  expect(new Set(seen.map(exact))).toEqual(new Set([exact(anything)]));
});

test("a run whose configuration contains internal keys of LangGraph runs normally", async () => {
  const configurable = {
    __pregel_checkpointer: false,
    __pregel_send: 1,
    __pregel_read: "x",
    __pregel_scratchpad: {},
    __pregel_resuming: true,
  };
  const config = {
    callbacks: "x",
    signal: {},
    store: 7,
    encoding: "text/event-stream",
    output_keys: 7,
    outputKeys: ["nothing"],
    configurable,
  };
  const { thread_id } = await client.threads.create();
  const values = await client.runs.wait(thread_id, "steps", { input: {}, config: config as object });
  expect(values).toEqual({ log: ["one", "two", "three"], last: "three" });
  expect((await client.threads.getState(thread_id)).values).toEqual(values);
});

test("a command for an unknown node ends its run in an error and does not stop the service", async () => {
  for (const command of [
    { goto: "nobody" },
    { goto: { node: "nobody", input: 1 } },
    { update: { "no\u0000channel": 1 } },
    { resume: null },
    {},
  ]) {
    const { thread_id } = await client.threads.create();
    const run = await client.runs.create(thread_id, "steps", { command: command as object });
    await client.runs.join(thread_id, run.run_id);
    expect(["error", "success"]).toContain((await client.runs.get(thread_id, run.run_id)).status);
  }
});

test("a command may name its node in every form that clients send", async () => {
  for (const goto of ["two", ["two"], { node: "two" }, [{ node: "two", input: {} }], { lg_name: "Send", node: "two", args: {} }]) {
    const { thread_id } = await client.threads.create();
    await client.runs.wait(thread_id, "steps", { input: {} });
    const values = await client.runs.wait(thread_id, "steps", { command: { goto } as object });
    expect(values).toEqual({ log: ["one", "two", "three", "two", "three"], last: "three" });
  }
});

test("ids are case-insensitive", async () => {
  const threadId = "0190B0F0-ABCD-7000-8000-0000000000AF";
  await client.threads.create({ threadId });
  await client.runs.wait(threadId, "steps", { input: {} });
  expect((await client.threads.getState(threadId.toLowerCase())).values).toMatchObject({ last: "three" });
  expect((await client.threads.getState(threadId)).values).toMatchObject({ last: "three" });
});

test("UUIDs of an unknown version are accepted as ids", async () => {
  const assistantId = "00000000-0000-0000-0000-00000000000f";
  await client.assistants.create({ graphId: "steps", assistantId });
  expect(await client.assistants.get(assistantId)).toMatchObject({ assistant_id: assistantId });
  expect(await client.runs.wait(null, assistantId, { input: {} })).toMatchObject({ last: "three" });
});

test("a body is read as JSON whatever its content type, and a missing body as an empty object", async () => {
  for (const type of ["text/plain", "application/octet-stream", "application/json; charset=utf-8"]) {
    const response = await fetch("/threads", { method: "POST", body: '{"metadata":{"a":1}}', headers: { "content-type": type } });
    expect(await response.json()).toMatchObject({ metadata: { a: 1 } });
  }
  expect((await fetch("/threads", { method: "POST" })).status).toBe(200);
  expect((await fetch("/threads", { method: "POST", body: " ", headers: { "content-type": "application/json" } })).status).toBe(200);
});

/** Returns a document as text, including the order of its keys. Documents must be returned as they were sent. */
function exact(document: unknown): string {
  return JSON.stringify(document);
}
