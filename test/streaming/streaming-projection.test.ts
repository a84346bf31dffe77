import { expect, test } from "vitest";
import type { LoggedEvent } from "../../src/events/log.ts";
import type { StreamMode } from "../../src/runs/run.ts";
import type { EndedRun } from "../../src/runs/thread-runs.ts";
import { createProjection } from "../../src/streaming/projection.ts";

/**
 * These tests cover cases that the scripted model does not produce: content of other providers, long arguments, and a worker that is lost
 * in the middle of a word.
 */

const place = "model:11111111-1111-4111-8111-111111111111";
const begun = (attempt = 1): [string, unknown] => ["metadata", { run_id: "r", attempt }];
const token = (id: string, message: object): [string, unknown] => [
  `messages|${place}`,
  [
    { content: "", tool_call_chunks: [], ...message, id, type: "ai" },
    { langgraph_node: "model", langgraph_checkpoint_ns: place },
  ],
];
const done: EndedRun = { status: "success", at: 9, error: null, asked: null };

function project(
  log: [event: string, data: unknown][],
  end: EndedRun | "gone" = done,
  modes: StreamMode[] = ["messages-tuple", "tasks", "tools"],
  answers: string[] = [],
) {
  const projection = createProjection({ base: 4_096, graphId: "g", modes, answers });
  const logged = log.map(([event, data], id): LoggedEvent => ({ id, event, data: JSON.stringify(data), at: id }));
  const events = [...logged.flatMap((event) => projection.project(event)), ...projection.projectEnd(end === "gone" ? undefined : end)];
  return events.map(
    ({ json }) => JSON.parse(json) as { seq: number; method: string; params: { namespace: string[]; data: Record<string, unknown> } },
  );
}

const messages = (events: ReturnType<typeof project>) =>
  events.filter(({ method }) => method === "messages").map(({ params }) => params.data);
const text = (data: Record<string, unknown>) => [data.event, data.index, data.delta ?? data.content].filter((part) => part !== undefined);

test("a refused answer names the questions that it missed, and those that are still open", () => {
  const error: EndedRun["error"] = {
    error: "UnknownInterruptError",
    message: "none",
    reason: "unknown_interrupt",
    interrupt_ids: ["a"],
    pending_ids: ["b"],
  };
  const [, end] = project([begun()], { status: "error", at: 9, error, asked: null });
  expect(end?.params.data).toEqual({
    event: "failed",
    graph_name: "g",
    error: "none",
    reason: "unknown_interrupt",
    interrupt_ids: ["a"],
    pending_ids: ["b"],
  });
});

test("thoughts, text and tool calls become consecutive blocks, whatever names the provider uses", () => {
  const events = project([
    begun(),
    token("m", { content: [{ type: "thinking", thinking: "Let me", index: 0 }] }),
    token("m", { content: [{ type: "thinking", thinking: " see", index: 0 }] }),
    token("m", { content: [{ type: "text", text: "It ", index: 1 }] }),
    token("m", { content: [{ type: "text", text: "is", index: 1 }] }),
    token("m", { content: [{ type: "tool_use", id: "c", index: 2 }], tool_call_chunks: [{ id: "c", name: "look", args: "", index: 2 }] }),
    token("m", { tool_call_chunks: [{ args: '{"at":1}', index: 2 }], response_metadata: { stop_reason: "tool_use" } }),
  ]);
  expect(messages(events).map(text)).toEqual([
    ["message-start"],
    ["content-block-start", 0, { type: "reasoning", reasoning: "" }],
    ["content-block-delta", 0, { type: "reasoning-delta", reasoning: "Let me" }],
    ["content-block-delta", 0, { type: "reasoning-delta", reasoning: " see" }],
    ["content-block-finish", 0, { type: "reasoning", reasoning: "Let me see" }],
    ["content-block-start", 1, { type: "text", text: "" }],
    ["content-block-delta", 1, { type: "text-delta", text: "It " }],
    ["content-block-delta", 1, { type: "text-delta", text: "is" }],
    ["content-block-finish", 1, { type: "text", text: "It is" }],
    ["content-block-start", 2, { type: "tool_call_chunk", id: "c", name: "look", args: "" }],
    ["content-block-delta", 2, { type: "block-delta", fields: { type: "tool_call_chunk", id: "c", name: "look", args: "" } }],
    ["content-block-delta", 2, { type: "block-delta", fields: { type: "tool_call_chunk", id: "c", name: "look", args: '{"at":1}' } }],
    ["content-block-finish", 2, { type: "tool_call", id: "c", name: "look", args: { at: 1 } }],
    ["message-finish"],
  ]);
  expect(messages(events).at(-1)).toMatchObject({ reason: "tool_use" });
});

test("what a message cost is summed up with its details, however many chunks report it", () => {
  const first = { input_tokens: 3, output_tokens: 1, total_tokens: 4, input_token_details: { cache_read: 2 } };
  const second = { input_tokens: 0, output_tokens: 4, total_tokens: 4, output_token_details: { reasoning: 1, audio: 2 } };
  const pieces = [first, second, second].map((usage_metadata) => token("m", { content: "x", usage_metadata }));
  expect(messages(project([begun(), ...pieces])).at(-1)).toMatchObject({
    event: "message-finish",
    usage: {
      input_tokens: 3,
      output_tokens: 9,
      total_tokens: 12,
      input_token_details: { cache_read: 2 },
      output_token_details: { reasoning: 2, audio: 4 },
    },
  });
});

test("a document of the graph's own that looks like a message stays as it is", () => {
  const own = { type: "ai", content: "x", tool_calls: [] };
  const values = project([begun(), ["values", { own }]]).find(({ method }) => method === "values");
  expect(values?.params.data).toEqual({ own });
});

test("tool arguments that are not JSON become an invalid_tool_call, and the size of the events grows linearly with the arguments", () => {
  const parts = Array.from({ length: 5_000 }, () => token("m", { tool_call_chunks: [{ args: "0123456789", index: 0 }] }));
  const events = project([begun(), token("m", { tool_call_chunks: [{ id: "c", name: "write", args: '{"text":"', index: 0 }] }), ...parts]);
  expect(messages(events).at(-2)).toMatchObject({ content: { type: "invalid_tool_call", id: "c", name: "write" } });
  expect(JSON.stringify(events).length).toBeLessThan(20 * 50_000);
});

test("two messages that one namespace streams at the same time stay separate", () => {
  const events = project([begun(), token("a", { content: "A1" }), token("b", { content: "B1" }), token("a", { content: "A2" })]);
  const said = (id: string) =>
    messages(events).flatMap(({ run_id, delta }) => (run_id === id && delta ? [(delta as { text: string }).text] : []));
  expect([said("a"), said("b")]).toEqual([["A1", "A2"], ["B1"]]);
  expect(messages(events).filter(({ event }) => event === "message-start")).toHaveLength(2);
});

test("a message id that is used in two namespaces gives two messages, and one message if used twice in one namespace", () => {
  const elsewhere = "model:22222222-2222-4222-8222-222222222222";
  const at = (where: string, message: object): [string, unknown] => [
    `messages|${where}`,
    [
      { type: "ai", id: "m", ...message },
      { langgraph_node: "model", langgraph_checkpoint_ns: where },
    ],
  ];
  const spoken = { content: "Hello", tool_call_chunks: [] };
  const events = project([
    begun(),
    at(place, spoken),
    ["updates", { model: { messages: [{ id: "m" }] } }],
    at(place, { content: "Hello" }),
    at(elsewhere, spoken),
    ["updates", { model: { messages: [{ id: "m" }] } }],
    at("whole:3", { content: "Hello" }),
  ]);
  const starts = events.filter(({ params }) => params.data.event === "message-start").map(({ params }) => params.namespace);
  expect(starts).toEqual([[place], [elsewhere], ["whole:3"]]);
});

test("what a lost worker left half said is closed, and said again by the next", () => {
  const toolStart: [string, unknown] = ["tools", { event: "on_tool_start", toolCallId: "t", name: "look", input: "{}" }];
  const events = project([begun(), token("m", { content: "Hel" }), toolStart, begun(2), token("m", { content: "Hello" })]);
  expect(messages(events).map(({ event }) => event)).toEqual([
    ...["message-start", "content-block-start", "content-block-delta", "error"],
    ...["message-start", "content-block-start", "content-block-delta", "content-block-finish", "message-finish"],
  ]);
  const tools = events.filter(({ method }) => method === "tools").map(({ params }) => [params.data.event, params.data.tool_call_id]);
  expect(tools).toEqual([
    ["tool-started", "t"],
    ["tool-error", "t"],
  ]);
  const root = events.filter(({ method }) => method === "lifecycle").map(({ params }) => params.data.event);
  expect(root).toEqual(["running", "started", "completed", "completed"]);
});

const lifecycle = (events: ReturnType<typeof project>) =>
  events.filter(({ method }) => method === "lifecycle").map(({ params }) => params.data.event);
const taskEnds: [string, unknown] = ["tasks", { id: place.split(":")[1], name: "model", result: {}, interrupts: [] }];
const broken: EndedRun = { ...done, status: "error", error: { error: "Error", message: "Boo!" } };

test("a task without an update counts as failed, and without logged updates it gets the status of its run", () => {
  const told = (log: [string, unknown][], end: EndedRun, ...modes: StreamMode[]) =>
    lifecycle(project([begun(), token("m", { content: "Hel" }), ...log, taskEnds], end, ["messages-tuple", "tasks", ...modes])).slice(2);
  expect(told([["updates", { model: {} }]], broken, "updates")).toEqual(["completed", "failed"]);
  expect(told([["updates", { model: null }]], done, "updates")).toEqual(["completed", "completed"]);
  expect(told([["updates", { other: {} }]], done, "updates")).toEqual(["failed", "completed"]);
  const rootOnly: [string, unknown][] = [
    ["updates", {}], // a state without channels, which the node did not change
    ["events", {}],
  ];
  expect(told(rootOnly, done, "updates")).toEqual(["completed", "completed"]);
  expect(told([], broken)).toEqual(["failed", "failed"]);
  expect(told([], done)).toEqual(["completed", "completed"]);
});

test("a task that failed and is repeated by another worker starts again in the lifecycle", () => {
  const log: [string, unknown][] = [token("m", { content: "Hel" }), taskEnds];
  const events = project([begun(), ...log, begun(2), token("m", { content: "Hello" })], done, ["messages-tuple", "tasks", "updates"]);
  expect(lifecycle(events)).toEqual(["running", "started", "failed", "started", "completed", "completed"]);
});

test("a run with more than a thousand interrupts is streamed with all of them and with its end", () => {
  const questions = Array.from({ length: 1_100 }, (_, n) => ({ id: `q${n}`, value: n }));
  const events = project([begun()], { ...done, asked: JSON.stringify({ __interrupt__: questions }) });
  expect(events.filter(({ method }) => method === "input.requested")).toHaveLength(1_100);
  expect(events.at(-1)?.params.data).toEqual({ event: "interrupted", graph_name: "g" });
  expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
});

test("the end of a cancelled or deleted run ends the messages and tasks that are still open", () => {
  for (const end of [{ ...done, status: "interrupted" as const }, "gone" as const]) {
    const events = project([begun(), token("m", { content: "Hel" })], end);
    expect(messages(events).at(-1)).toMatchObject({ event: "error" });
    expect(events.at(-1)?.params.data).toEqual({ event: "interrupted", graph_name: "g" });
  }
});

test("numbers come from where a thing stands in the log, and say the same every time", () => {
  const log: [string, unknown][] = [
    begun(),
    token("a", { content: "x" }),
    ["unheard-of", {}],
    ["custom", { name: "mine", payload: 1 }],
    ["custom", 7],
  ];
  const events = project(log);
  expect(events.map(({ seq }) => seq)).toEqual([...new Set(events.map(({ seq }) => seq))].sort((a, b) => a - b));
  expect(events.filter(({ method }) => method === "custom")).toMatchObject([
    { seq: 4_096 + 3 * 1_024 + 1, params: { data: { name: "mine", payload: 1 } } },
    { seq: 4_096 + 4 * 1_024 + 1, params: { data: { payload: 7 } } },
  ]);
  expect(project(log)).toEqual(events);
});

test("a model stream that breaks off becomes an error event, whether its node fails or continues", () => {
  const lost: [string, unknown] = [`messages/error|${place}`, { id: "m", message: "The line was cut." }];
  const update: [string, unknown] = ["updates", { model: { messages: [] } }];
  const wentOn = project([begun(), token("m", { content: "Hel" }), lost, update, taskEnds]);
  expect(messages(wentOn).map(({ event }) => event)).toEqual(["message-start", "content-block-start", "content-block-delta", "error"]);
  expect(messages(wentOn).at(-1)).toMatchObject({ message: "The line was cut." });

  const modes: StreamMode[] = ["messages-tuple", "tasks", "updates"];
  const failedNode = project([begun(), token("m", { content: "Hel" }), taskEnds], broken, modes);
  expect(messages(failedNode).map(({ event }) => event)).toContain("error");
  expect(messages(failedNode).map(({ event }) => event)).not.toContain("message-finish");
  const complete = token("m", { content: "", response_metadata: { finish_reason: "stop" } });
  expect(messages(project([begun(), token("m", { content: "Hi" }), complete, taskEnds], broken, modes)).at(-1)).toMatchObject({
    event: "message-finish",
  });
});

test("calls of tools that come interleaved are each finished once, when they are complete", () => {
  const piece = (index: number, args: string, more = {}) => token("m", { tool_call_chunks: [{ index, args, ...more }] });
  const events = project([
    begun(),
    piece(0, '{"a"', { id: "x", name: "look" }),
    piece(1, '{"b"', { id: "y", name: "see" }),
    piece(0, ":1}"),
    piece(1, ":2}"),
    piece(2, "{}", { id: "z", name: "rest" }),
  ]);
  const finished = messages(events).filter(({ event }) => event === "content-block-finish");
  expect(finished.map(({ index, content }) => [index, content])).toEqual([
    [0, { type: "tool_call", id: "x", name: "look", args: { a: 1 } }],
    [1, { type: "tool_call", id: "y", name: "see", args: { b: 2 } }],
    [2, { type: "tool_call", id: "z", name: "rest", args: {} }],
  ]);
});

test("an update that is not an object, as tasks of a functional graph return it, is streamed as a value", () => {
  const events = project([begun(), ["updates", { double: 4 }], ["updates", { name: { called: "x" } }], ["updates", { none: null }]]);
  const updates = events.filter(({ method }) => method === "updates").map(({ params }) => params.data);
  expect(updates).toEqual([{ value: 4 }, { called: "x" }, { value: null }]);
});

test("a custom event with a name belongs to the channel of that name, with a payload or without", () => {
  const projection = createProjection({ base: 0, graphId: "g", modes: ["custom"], answers: [] });
  const named = { name: "progress", step: "one" };
  const [event] = projection.project({ id: 0, at: 0, event: "custom", data: JSON.stringify(named) });
  expect([event?.name, JSON.parse(event?.json ?? "").params.data]).toEqual(["progress", named]);
});

test("a run that answers questions by their ids says so when it begins, once", () => {
  const ids = ["a".repeat(32), "b".repeat(32)];
  const events = project([begun(), begun(2)], done, ["values"], ids);
  expect(events.map(({ method, params }) => [method, params.data])).toEqual([
    ["lifecycle", { event: "running", graph_name: "g" }],
    ["input.answered", { interrupt_ids: ids }],
    ["lifecycle", { event: "completed", graph_name: "g" }],
  ]);
});
