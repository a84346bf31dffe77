import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Change {
  from: string;
  event: string | null;
  to: string;
  guard: object | null;
  action: string | null;
  reason: string;
}
interface Machine {
  state: string;
  status: string;
  allowed: string[];
  output: unknown;
  facts: Record<string, unknown>;
  visits: Record<string, number>;
  history: Change[];
  error: string | null;
  refused: { event: string; error: string; message: string } | null;
  warnings: string[];
  diagram: string;
  ledger: { agent: string }[];
  messages: { type: string; content: string }[];
  __interrupt__?: { value: Record<string, unknown> }[];
  __error__?: { error: string; message: string };
}

/** The order example. Each action belongs to an agent, so that the test can observe it in the model's requests. */
const order = {
  initial: "CREATED",
  states: { CREATED: {}, VALIDATING: {}, VALIDATED: {}, PROCESSING: {}, COMPLETED: { final: true }, FAILED: { final: true } },
  transitions: [
    { from: "CREATED", event: "validate", to: "VALIDATING", action: { task: "do validate" } },
    { from: "VALIDATING", event: "mark_validated", to: "VALIDATED", guard: { path: "facts.total", gt: 0 } },
    { from: "VALIDATED", event: "process", to: "PROCESSING", action: { task: "do process" }, saveAs: "receipt" },
    { from: "PROCESSING", event: "ship", to: "COMPLETED", action: { task: "do ship" } },
    { from: "VALIDATING", event: "reject", to: "FAILED", action: { task: "do reject" } },
  ],
};
const run = (threadId: string | null, input: object, context: object = order) =>
  client.runs.wait(threadId as string, "state-machine", {
    input,
    context,
    raiseError: false,
  } as object) as Promise<unknown> as Promise<Machine>;
const aThread = async () => (await client.threads.create()).thread_id;
const stateOf = async (threadId: string) => (await client.threads.getState(threadId)).values as never as Machine;
const path = ({ history }: Machine) => history.map(({ to }) => to);
const asked = (words: string) => model.requests.filter(({ messages }) => JSON.stringify(messages).includes(words)).length;

test("an order goes from state to state as events say, and each change is recorded", async () => {
  model.respond(() => ({ tokens: ["done"] }));
  const thread = await aThread();
  const first = await run(thread, { event: "validate", data: { total: 12 }, reason: "the customer paid" });
  expect(first).toMatchObject({ state: "VALIDATING", status: "waiting", allowed: ["mark_validated", "reject"], facts: { total: 12 } });
  await run(thread, { event: "mark_validated" });
  await run(thread, { event: "process" });
  const last = await run(thread, { event: "ship" });
  expect(last).toMatchObject({ state: "COMPLETED", status: "final", allowed: [], facts: { total: 12, receipt: "done" } });
  expect(last.history.map(({ from, event, to, guard, action, reason }) => [from, event, to, guard, action, reason])).toEqual([
    ["CREATED", "validate", "VALIDATING", null, "success", "the customer paid"],
    ["VALIDATING", "mark_validated", "VALIDATED", { "facts.total": 12 }, null, "event"],
    ["VALIDATED", "process", "PROCESSING", null, "success", "event"],
    ["PROCESSING", "ship", "COMPLETED", null, "success", "event"],
  ]);
  expect(last.diagram).toContain("stateDiagram-v2");
  expect(last.messages.map(({ content }) => content)).toEqual([
    "The machine is in VALIDATING. Allowed: mark_validated, reject.",
    "The machine is in VALIDATED. Allowed: process.",
    "The machine is in PROCESSING. Allowed: ship.",
    "done",
  ]);
});

test("an event that the state does not allow fails the run, and nothing changes", async () => {
  model.respond(() => ({ tokens: ["done"] }));
  const thread = await aThread();
  const refused = await run(thread, { event: "ship", data: { total: 1 } });
  expect(refused.__error__).toEqual({ error: "InvalidTransition", message: "CREATED → COMPLETED by ship; allowed: validate" });
  expect((await run(thread, { event: "sing" })).__error__?.message).toBe("CREATED by sing; allowed: validate");
  expect(model.requests).toHaveLength(0);
  expect(await stateOf(thread)).toMatchObject({ state: "CREATED", history: [], facts: {} });
  expect(await run(thread, { event: "validate" })).toMatchObject({ state: "VALIDATING", facts: {} });
});

test("an event whose guard does not hold fails the run with the value that the guard saw, and nothing changes", async () => {
  model.respond(() => ({ tokens: ["done"] }));
  const thread = await aThread();
  await run(thread, { event: "validate" });
  const missing = await run(thread, { event: "mark_validated" });
  expect(missing.__error__).toEqual({
    error: "GuardFailed",
    message: "VALIDATING → VALIDATED by mark_validated: facts.total is missing",
  });
  const wrong = await run(thread, { event: "mark_validated", data: { total: -3 } });
  expect(wrong.__error__?.message).toBe("VALIDATING → VALIDATED by mark_validated: facts.total is -3");
  expect(await stateOf(thread)).toMatchObject({ state: "VALIDATING", facts: {} });
  expect(await run(thread, { event: "mark_validated", data: { total: 3 } })).toMatchObject({ state: "VALIDATED", facts: { total: 3 } });
});

test("several transitions for one event are tried in order, and the first whose guard holds is taken", async () => {
  const context = {
    initial: "new",
    states: { new: {}, small: { final: true }, large: { final: true } },
    transitions: [
      { from: "new", event: "judge", to: "large", guard: { path: "data.size", gt: 10 } },
      { from: "new", event: "judge", to: "small" },
    ],
  };
  expect((await run(null, { event: "judge", data: { size: 11 } }, context)).state).toBe("large");
  expect((await run(null, { event: "judge", data: { size: 9 } }, context)).state).toBe("small");
});

test("a guard can ask a judge, who answers once for each time that the machine comes into the state", async () => {
  model.respond(() => ({ json: { holds: true, reason: "It is." } }));
  const context = {
    initial: "a",
    states: { a: {}, b: { final: true } },
    transitions: [{ from: "a", event: "go", to: "b", guard: { ask: "Is it risky?" } }],
  };
  const done = await run(null, { event: "go" }, context);
  expect(done.history).toMatchObject([{ to: "b", guard: { "Is it risky?": "It is." } }]);
  expect(done.ledger.map(({ agent }) => agent)).toEqual(["judge"]);
});

test("an action that fails leaves the state, and the event can be sent again", async () => {
  model.respond(() => ({ status: 400 }));
  const thread = await aThread();
  const failed = await run(thread, { event: "validate", data: { total: 1 } });
  expect(failed).toMatchObject({ state: "CREATED", status: "failed", facts: {}, error: expect.stringContaining("400") });
  expect(failed.history).toMatchObject([{ from: "CREATED", to: "CREATED", event: "validate", action: "failed" }]);
  model.respond(() => ({ tokens: ["done"] }));
  expect(await run(thread, { event: "validate" })).toMatchObject({ state: "VALIDATING", status: "waiting", error: null });
});

test("an action that fails leads to `onFailure` if there is one, after it was tried again with its error", async () => {
  model.respond((messages) => (messages.includes("do pay") ? { tokens: ["not JSON"] } : { tokens: ["said sorry"] }));
  const context = {
    agents: [
      { name: "payer", role: "r", retries: 0, output: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
    ],
    initial: "open",
    states: { open: {}, paid: { final: true }, refused: {}, closed: { final: true } },
    transitions: [
      { from: "open", event: "pay", to: "paid", action: { agent: "payer", task: "do pay" }, retries: 1, onFailure: "refused" },
      { from: "refused", to: "closed", action: { task: "apologise" } },
    ],
  };
  const done = await run(null, { event: "pay", data: { sum: 3 } }, context);
  expect(done).toMatchObject({ state: "closed", status: "final", output: "said sorry", facts: { sum: 3 }, error: null });
  expect(path(done)).toEqual(["refused", "closed"]);
  expect(done.history[0]).toMatchObject({ event: "pay", action: "failed" });
  expect(asked("The last try failed")).toBeGreaterThan(0);
});

test("with nothing but a task, an order is validated, processed and completed, or it fails", async () => {
  let valid = true;
  model.respond((messages) => {
    if (messages.includes("carried out as it is?")) return { json: { valid, reason: "r" } };
    return { tokens: messages.includes("Tell the customer") ? ["It is ", "done."] : ["No ", "way."] };
  });
  const thread = await aThread();
  const done = await run(thread, { task: "Bend a river" }, {});
  expect(path(done)).toEqual(["VALIDATING", "VALIDATED", "PROCESSING", "COMPLETED"]);
  expect(done.messages.map(({ content }) => content)).toEqual(["Bend a river", "It is done."]);
  valid = false;
  const refused = await run(thread, { task: "Bend two" }, {});
  expect(path(refused)).toEqual(["VALIDATING", "FAILED"]);
  expect(refused.messages.map(({ content }) => content)).toEqual(["Bend a river", "It is done.", "Bend two", "No way."]);
});

test("a message names an event, or a judge reads what it asks for", async () => {
  model.respond((messages) => (messages.includes("Which of the events") ? { json: { event: "reject" } } : { tokens: ["done"] }));
  const thread = await aThread();
  const say = (content: string) => run(thread, { messages: [{ role: "user", content }] });
  expect(await say("Validate")).toMatchObject({ state: "VALIDATING" });
  expect(asked("Which of the events")).toBe(0);
  expect(await say("Throw it away, please")).toMatchObject({ state: "FAILED", output: "done" });
  expect(asked("Which of the events")).toBe(1);
});

test("a message that asks for no event changes nothing, and the answer says what is allowed", async () => {
  model.respond(() => ({ json: { event: "none" } }));
  const done = await run(null, { task: "Sing a song" });
  expect(done).toMatchObject({ state: "CREATED", status: "waiting", history: [] });
  expect(done.messages.at(-1)?.content).toBe("The machine is in CREATED. Allowed: validate.");
});

test("the machine takes no more transitions than it may, and only one if it must not go on by itself", async () => {
  const context = {
    initial: "a",
    states: { a: {}, b: {} },
    transitions: [
      { from: "a", to: "b" },
      { from: "b", to: "a" },
    ],
  };
  const limited = await run(null, { task: "t" }, { ...context, maxSteps: 5 });
  expect(limited).toMatchObject({ status: "limit", state: "b", visits: { a: 3, b: 3 } });
  expect(limited.warnings).toEqual(['No final state can be reached from "a".', 'No final state can be reached from "b".']);
  const thread = await aThread();
  expect(path(await run(thread, { auto: false }, context))).toEqual(["b"]);
  expect(path(await run(thread, { auto: false }, context))).toEqual(["b", "a"]);
});

test("two events that are sent at once queue on the thread", async () => {
  model.respond(() => ({ tokens: ["done"] }));
  const thread = await aThread();
  const sent = [{ event: "validate" }, { event: "mark_validated", data: { total: 1 } }].map((input) =>
    client.runs.create(thread, "state-machine", { input, context: order }),
  );
  const runs = await Promise.all(sent);
  await Promise.all(runs.map(({ run_id }) => client.runs.join(thread, run_id)));
  const ended = await Promise.all(runs.map(({ run_id }) => client.runs.get(thread, run_id)));
  const first = ended.find(({ run_id }) => run_id === runs[0]?.run_id);
  // If the second request came first, its event was refused. The two were never processed at the same time.
  const { state } = await stateOf(thread);
  expect([state, ended.map(({ status }) => status).toSorted()]).toEqual(
    state === "VALIDATED" ? ["VALIDATED", ["success", "success"]] : ["VALIDATING", ["error", "success"]],
  );
  expect(first?.status).toBe("success");
});

test("a second machine begins when the first is over, or on request", async () => {
  model.respond(() => ({ tokens: ["done"] }));
  const thread = await aThread();
  await run(thread, { event: "validate", data: { total: 1 } });
  await run(thread, { event: "reject" });
  const over = await run(thread, { event: "validate" });
  expect(over.__error__?.message).toBe("FAILED → VALIDATING by validate; allowed: nothing, the state is final");
  const again = await run(thread, { restart: true, event: "validate" });
  expect(again).toMatchObject({ state: "VALIDATING", facts: {}, visits: { CREATED: 1, VALIDATING: 1 } });
  expect(again.history).toHaveLength(1);
});

test("a fork from an earlier checkpoint ends differently", async () => {
  model.respond((messages) => (messages.includes("carried out as it is?") ? { json: { valid: true, reason: "r" } } : { tokens: ["done"] }));
  const thread = await aThread();
  await run(thread, { task: "Bend a river" }, {});
  const history = await client.threads.getHistory(thread, { limit: 40 });
  const before = history.findLast(({ next }) => next[0] === "act");
  model.respond((messages) => (messages.includes("carried out as it is?") ? { json: { valid: false, reason: "r" } } : { tokens: ["no"] }));
  const fork = await client.runs.wait(thread, "state-machine", { input: null, checkpoint: before?.checkpoint as never });
  expect(fork).toMatchObject({ state: "FAILED", output: "no" });
});

const states = { a: {}, b: { final: true } };
const go = { from: "a", event: "go", to: "b" };
const machine = (more: object) => ({ initial: "a", states, transitions: [go], ...more });

test.each([
  ["a machine without transitions", { initial: "a", states }, "transitions"],
  ["a first state that does not exist", machine({ initial: "x" }), "initial"],
  ["a target that does not exist", machine({ transitions: [{ ...go, to: "x" }] }), "transitions[0].to"],
  [
    "a way to fail that does not exist",
    machine({ transitions: [{ ...go, action: { task: "t" }, onFailure: "x" }] }),
    "transitions[0].onFailure",
  ],
  ["two transitions for one event", machine({ transitions: [go, { ...go, to: "a" }] }), "transitions[1]"],
  ["a way out of a final state", machine({ transitions: [go, { from: "b", event: "back", to: "a" }] }), "transitions[1].from"],
  ["a state that nobody reaches", machine({ states: { ...states, c: {} } }), "states.c"],
  ["a time limit without a target", machine({ states: { ...states, a: { timeoutSeconds: 3 } } }), "states.a.onTimeout"],
  ["a misspelt key", machine({ transitions: [{ ...go, gard: {} }] }), "transitions[0].gard"],
  ["work of two kinds", machine({ transitions: [{ ...go, action: { tool: "now", agent: "x" } }] }), "transitions[0].action"],
])("%s is refused with its place, before anything runs", async (_what, context, place) => {
  const refused = await client.runs.wait(null, "state-machine", { input: { event: "go" }, context } as object).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
});

test("an input without an event and without a task is refused", async () => {
  const refused = await client.runs.wait(null, "state-machine", { input: {} }).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain("task");
});
