import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Event {
  seq: number;
  type: string;
  from: string;
  payload: unknown;
  causedBy: number[];
  correlationId: string;
  depth: number;
}
interface Choreography {
  status: string;
  output: unknown;
  events: Event[];
  unheard: string[];
  exhausted: string[];
  errors: Record<string, string>;
  warnings: string[];
  chain: number[];
  ledger: { agent: string }[];
  messages: { type: string; content: string }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "choreography", { input, context } as object) as Promise<unknown> as Promise<Choreography>;
const typesIn = ({ events }: Choreography) => events.map(({ type }) => type);
const listener = (name: string, on: unknown, more: object = {}) => ({ name, on, do: { task: `do ${name}` }, ...more });

/** Answers as the usual testers would, with the given risk of the issue. */
function answerAsTesters(risk: "low" | "high", verdicts = ["VALIDATION_COMPLETE"]): void {
  const issue = "The password is in the log";
  model.respond((messages) => {
    if (messages.includes("Find the most serious")) return { json: { event: "ISSUE_FOUND", payload: { issue, place: "app.log" } } };
    if (messages.includes("Is this problem real")) {
      return { json: { event: "ISSUE_CONFIRMED", payload: { issue, risk, reason: "It is there." } } };
    }
    if (messages.includes("Propose a change")) return { json: { issue, fix: "Do not log it" } };
    if (messages.includes("Does this change repair")) {
      const event = verdicts.length > 1 ? verdicts.shift() : verdicts[0];
      return { json: { event, payload: { issue, risk: "low", reason: "checked" } } };
    }
    return { tokens: messages.includes("for the log") ? ["Logged."] : ["Found and ", "repaired."] };
  });
}

test("with nothing but a task, testers find, confirm, repair and report, and one id runs through the whole chain", async () => {
  answerAsTesters("high");
  const result = await run({ task: "Check the log" });
  expect(typesIn(result)).toEqual([
    "START_TESTING",
    "ISSUE_FOUND",
    "ISSUE_CONFIRMED",
    "FIX_ATTEMPTED",
    "VALIDATION_COMPLETE",
    "REPORT_WRITTEN",
  ]);
  expect(result).toMatchObject({ status: "quiescent", output: "Found and repaired.", unheard: ["REPORT_WRITTEN"], exhausted: [] });
  expect(new Set(result.events.map(({ correlationId }) => correlationId)).size).toBe(1);
  expect(result.events.map(({ causedBy }) => causedBy)).toEqual([[], [1], [2], [3], [4], [5]]);
  expect(result.messages.map(({ content }) => content)).toEqual(["Check the log", "Found and repaired."]);
  expect(result.ledger.map(({ agent }) => agent)).toEqual(["scout", "validator", "healer", "validator", "reporter"]);
});

test("a problem of low risk is only logged", async () => {
  answerAsTesters("low");
  const result = await run({ task: "Check the log" });
  expect(typesIn(result)).toEqual(["START_TESTING", "ISSUE_FOUND", "ISSUE_CONFIRMED", "ISSUE_LOGGED"]);
  expect(result.output).toBe("Logged.");
});

test("a loop between two listeners ends when one of them was woken as often as it may be", async () => {
  answerAsTesters("high", ["FIX_REJECTED"]);
  const result = await run({ task: "Check the log" });
  expect(typesIn(result).filter((type) => type === "FIX_ATTEMPTED")).toHaveLength(3);
  expect(result).toMatchObject({ status: "quiescent", exhausted: ["healer"] });
  expect(result.events.at(-1)?.type).toBe("FIX_REJECTED");
});

test("the chain that a listener sees leads from the first event to the one that woke it", async () => {
  answerAsTesters("high", ["FIX_REJECTED", "VALIDATION_COMPLETE"]);
  await run({ task: "Check the log" });
  const second =
    model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes("Propose a change"))[1] ?? "";
  expect(second).toMatch(/START_TESTING.*ISSUE_FOUND.*ISSUE_CONFIRMED.*FIX_ATTEMPTED/);
  expect(second).toMatch(/FIX_REJECTED.*START_TESTING/);
});

test("two listeners of one event work in one super-step, and their events are numbered in the order of their names", async () => {
  model.respond((messages) => ({ tokens: [messages.includes("do zoe") ? "from zoe" : "from adam"] }));
  const { thread_id } = await client.threads.create();
  const context = { listeners: [listener("zoe", "START"), listener("adam", "START")] };
  const done = await client.runs.wait(thread_id, "choreography", { input: { task: "t" }, context });
  const { events } = done as never as Choreography;
  expect(events.map(({ seq, type, payload }) => [seq, type, payload])).toEqual([
    [1, "START", "t"],
    [2, "adam", "from adam"],
    [3, "zoe", "from zoe"],
  ]);
  const history = await client.threads.getHistory(thread_id, { limit: 20 });
  expect(history.map(({ next }) => next)).toContainEqual(["react", "react"]);
});

test("an event that comes while a listener works wakes it again, once", async () => {
  model.respond((messages) => ({ tokens: [messages.includes("do second") ? "second" : "first"] }));
  const listeners = [
    listener("worker", { or: ["START", "NEWS"] }, { emits: ["WORK_DONE"] }),
    listener("second", "START", { emits: ["NEWS"] }), // NEWS is published in the wave in which the worker is running
    listener("third", "WORK_DONE", { emits: ["CHECKED"] }),
  ];
  const result = await run({ task: "t" }, { listeners });
  expect(typesIn(result)).toEqual(["START", "NEWS", "WORK_DONE", "CHECKED", "WORK_DONE", "CHECKED"]);
  expect(result.events.filter(({ from }) => from === "worker").map(({ causedBy }) => causedBy)).toEqual([[1], [2]]);
});

test("each of several events wakes a listener by itself, and `and` waits for all of its parts and then begins anew", async () => {
  model.respond(() => ({ tokens: ["ok"] }));
  const listeners = [
    listener("a", { or: ["START", "BOTH"] }, { emits: ["A"], maxFires: 2 }),
    listener("b", { or: ["START", "BOTH"] }, { emits: ["B"], maxFires: 2 }),
    listener("join", { and: ["A", "B"] }, { emits: ["BOTH"] }),
  ];
  const result = await run({ task: "t" }, { listeners });
  expect(typesIn(result)).toEqual(["START", "A", "B", "BOTH", "A", "B", "BOTH"]);
  expect(result.events.filter(({ type }) => type === "BOTH").map(({ causedBy }) => causedBy)).toEqual([
    [2, 3],
    [5, 6],
  ]);
  expect(JSON.stringify(model.requests[2]?.messages)).toMatch(/events.*\\"A\\".*\\"B\\"/);
});

test("a failure is an event that others can hear, and then it does not count", async () => {
  model.respond((messages) => (messages.includes("do weak") ? { status: 400 } : { tokens: ["caught"] }));
  const listeners = [listener("weak", "START"), listener("net", "FAILED:weak")];
  const result = await run({ task: "t" }, { listeners, limits: { failures: 1 } });
  expect(typesIn(result)).toEqual(["START", "FAILED:weak", "net"]);
  expect(result).toMatchObject({ status: "quiescent", output: "caught", errors: {} });
});

test("failed work is tried again with its error, and publishes once", async () => {
  let failures = 0;
  model.respond(() => (failures++ < 3 ? { tokens: ["not one of the events"] } : { json: { event: "GOOD", payload: "fine" } }));
  const agents = [{ name: "strict", role: "r", retries: 0 }];
  const listeners = [listener("chooser", "START", { do: { agent: "strict" }, emits: ["GOOD", "BAD"], retries: 3 }), listener("x", "GOOD")];
  const result = await run({ task: "t" }, { listeners, agents });
  expect(typesIn(result).slice(0, 2)).toEqual(["START", "GOOD"]);
  expect(JSON.stringify(model.requests[3]?.messages)).toContain("The last try failed");
});

test("three failures that nobody hears stop new work, and a person decides: retry", async () => {
  model.respond(() => ({ status: 400 }));
  const listeners = [...["a", "b", "c"].map((name) => listener(name, "START")), listener("after", { and: ["a", "b", "c"] })];
  const { thread_id } = await client.threads.create();
  const asked = await client.runs.wait(thread_id, "choreography", { input: { task: "t" }, context: { listeners } });
  const [question] = Object(asked).__interrupt__;
  expect(question.value).toMatchObject({ type: "selection", options: ["retry", "adjust", "accept"] });
  expect(question.value.prompt).toMatch(/failed: a \(.*b \(.*c \(/);
  model.respond(() => ({ tokens: ["fine"] }));
  const done = await client.runs.wait(thread_id, "choreography", { command: { resume: "retry" }, context: { listeners } });
  expect(typesIn(done as never)).toEqual(["START", "FAILED:a", "FAILED:b", "FAILED:c", "a", "b", "c", "after"]);
  expect(done).toMatchObject({ status: "quiescent", errors: {} });
});

test("unattended, the run ends after three failures with what there is", async () => {
  model.respond((messages) => (messages.includes("do good") ? { tokens: ["kept"] } : { status: 400 }));
  const listeners = [...["a", "b", "c", "good"].map((name) => listener(name, "START")), listener("after", "good")];
  const result = await run({ task: "t" }, { listeners, onFailures: "partial" });
  expect(result).toMatchObject({ status: "failures", errors: { a: expect.stringContaining("400"), c: expect.any(String) } });
  expect(typesIn(result)).toEqual(["START", "FAILED:a", "FAILED:b", "FAILED:c", "good"]);
});

test("a run ends at its condition, which may ask a judge", async () => {
  model.respond((messages) =>
    messages.includes("Is it enough?") ? { json: { holds: messages.includes("pong"), reason: "r" } } : { tokens: ["x"] },
  );
  const listeners = [listener("ping", { or: ["START", "pong"] }), listener("pong", "ping")];
  const counted = await run({ task: "t", until: { path: "events.pong.count", gt: 1 } }, { listeners });
  expect(counted.status).toBe("until");
  expect(typesIn(counted)).toEqual(["START", "ping", "pong", "ping", "pong"]);
  const judged = await run({ task: "t", until: { ask: "Is it enough?" } }, { listeners });
  expect(typesIn(judged)).toEqual(["START", "ping", "pong"]);
  expect(judged.ledger.map(({ agent }) => agent)).toEqual(["judge", "ping", "judge", "pong", "judge"]);
});

test("a causal chain and a log have a longest length, and the run names the chain that reached it", async () => {
  model.respond(() => ({ tokens: ["x"] }));
  const listeners = [listener("ping", { or: ["START", "pong"] }, { maxFires: 100 }), listener("pong", "ping", { maxFires: 100 })];
  const deep = await run({ task: "t" }, { listeners, maxDepth: 4 });
  expect(deep).toMatchObject({ status: "limit", chain: [1, 2, 3, 4, 5] });
  const long = await run({ task: "t" }, { listeners, maxEvents: 3 });
  expect(long).toMatchObject({ status: "limit", chain: [1, 2, 3] });
});

test("conditions of a trigger can ask a judge, once for each event", async () => {
  model.respond((messages) => (messages.includes("Is it risky?") ? { json: { holds: true, reason: "It is." } } : { tokens: ["done"] }));
  const listeners = [
    listener("guard", { event: "START", when: { ask: "Is it risky?" } }),
    listener("calm", { event: "START", when: { not: { ask: "Is it risky?" } } }),
  ];
  const result = await run({ task: "t" }, { listeners });
  expect(typesIn(result)).toEqual(["START", "guard"]);
  expect(result.ledger.map(({ agent }) => agent)).toEqual(["judge", "judge", "guard"]);
});

test("the one with the higher priority is woken first if not all can work at once", async () => {
  model.respond(() => ({ tokens: ["ok"] }));
  const listeners = [listener("a", "START"), listener("b", "START", { priority: 1 }), listener("c", "START", { priority: -1 })];
  const result = await run({ task: "t" }, { listeners, limits: { parallel: 1 } });
  expect(typesIn(result)).toEqual(["START", "b", "a", "c"]);
});

test("a person is a listener too: the answer chooses the event", async () => {
  model.respond(() => ({ tokens: ["shipped"] }));
  const listeners = [
    { name: "gate", on: "START", do: { ask: "Ship it?", options: ["SHIP", "HOLD"] }, emits: ["SHIP", "HOLD"] },
    listener("shipper", "SHIP"),
  ];
  const { thread_id } = await client.threads.create();
  const asked = await client.runs.wait(thread_id, "choreography", { input: { task: "t" }, context: { listeners } });
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { prompt: "Ship it?", options: ["SHIP", "HOLD"] } }]);
  const done = await client.runs.wait(thread_id, "choreography", { command: { resume: "SHIP" }, context: { listeners } });
  expect(typesIn(done as never)).toEqual(["START", "SHIP", "shipper"]);
});

test("the first event has the type, the payload and the correlation id that the caller gives; what nobody publishes is a warning", async () => {
  model.respond(() => ({ tokens: ["ok"] }));
  const start = { type: "ORDERED", payload: { order: 7 }, correlationId: "order-7" };
  const listeners = [listener("bill", { event: "ORDERED", when: { path: "payload.order", gt: 5 } }), listener("ship", "PAYED")];
  const result = await run({ task: "t", start }, { listeners });
  expect(result.events).toMatchObject([start, { type: "bill", correlationId: "order-7" }]);
  expect(result.warnings).toEqual(['"ship" waits for "PAYED", which nobody publishes.']);
});

test.each([
  ["no listeners", { listeners: [] }, "listeners"],
  ["two listeners with one name", { listeners: [listener("a", "START"), listener("a", "START")] }, "listeners[1].name"],
  ["a misspelt key", { listeners: [listener("a", "START", { emit: ["X"] })] }, "listeners[0].emit"],
  ["a trigger of nothing", { listeners: [listener("a", {})] }, "listeners[0].on"],
  ["work of two kinds", { listeners: [{ name: "a", on: "START", do: { tool: "now", agent: "x" } }] }, "listeners[0].do"],
  ["an event of the engine", { listeners: [listener("a", "START", { emits: ["FAILED:b"] })] }, "listeners[0].emits[0]"],
  ["a log without length", { maxEvents: 0 }, "maxEvents"],
])("%s is refused with its place, before anything runs", async (_what, context, place) => {
  const refused = await run({ task: "t" }, context).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

test("a wrong input is refused with its place", async () => {
  const refusals = [{}, { task: "t", start: { typ: "X" } }, { task: "t", until: { path: "events" } }].map((input) =>
    run(input).catch((error) => error),
  );
  const [task, start, until] = await Promise.all(refusals);
  expect([task.status, start.status, until.status]).toEqual([422, 422, 422]);
  expect(task.message).toContain("task");
  expect(start.message).toContain("start.typ");
  expect(until.message).toContain("until");
});

test("a second run on the thread begins anew, and a fork ends differently", async () => {
  answerAsTesters("low");
  const { thread_id } = await client.threads.create();
  const first = (await client.runs.wait(thread_id, "choreography", { input: { task: "Check" } })) as never as Choreography;
  expect(typesIn(first)).toHaveLength(4);
  const history = await client.threads.getHistory(thread_id, { limit: 30 });
  const again = (await client.runs.wait(thread_id, "choreography", { input: { task: "Again" } })) as never as Choreography;
  expect(typesIn(again)).toHaveLength(4);
  expect(again.messages.map(({ content }) => content)).toEqual(["Check", "Logged.", "Again", "Logged."]);
  const before = history.find(({ next, values }) => next[0] === "react" && Object(values).events?.length === 2);
  answerAsTesters("high");
  const fork = (await client.runs.wait(thread_id, "choreography", {
    input: null,
    checkpoint: before?.checkpoint as never,
  })) as never as Choreography;
  expect(typesIn(fork)).toHaveLength(6);
});
