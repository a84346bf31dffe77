import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Flow {
  status: string;
  output: unknown;
  state: Record<string, unknown>;
  path: string[];
  waiting: object[];
  exhausted: string[];
  errors: Record<string, string>;
  ledger: { agent: string }[];
  messages: { type: string; content: string }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "flow", { input, context } as object) as Promise<unknown> as Promise<Flow>;
const step = (name: string, on?: unknown, more: object = {}) => ({
  name,
  ...(on !== undefined && { on }),
  do: { task: `do ${name}` },
  ...more,
});
const saying = (prompts: Record<string, unknown>) => (messages: string) => {
  const [, reply] = Object.entries(prompts).find(([words]) => messages.includes(words)) ?? [];
  return reply === undefined ? { tokens: ["ok"] } : typeof reply === "string" ? { tokens: [reply] } : { json: reply };
};

test("with nothing but a task, two steps begin at once, and a draft is checked, revised and finished", async () => {
  const verdicts = ["weak", "good"];
  model.respond((messages) => {
    if (messages.includes("Is this draft good")) return { json: { event: verdicts.shift(), reason: "r" } };
    return saying({ "Improve this": "better", "Copy this": "final", "Write a draft": "draft", "List the points": "points" })(messages);
  });
  const { status, output, path, messages } = await run({ task: "Why do rivers bend?" });
  expect({ status, output }).toEqual({ status: "completed", output: "final" });
  expect(path).toEqual(["doubts", "outline", "draft", "weak", "revise", "good", "finish"]);
  expect(messages.map(({ content }) => content)).toEqual(["Why do rivers bend?", "final"]);
  const drafting = model.requests.map(({ messages }) => JSON.stringify(messages)).find((text) => text.includes("Write a draft"));
  expect(drafting).toMatch(/points.*doubts|doubts.*points/);
});

test("a join of which one part fails never starts, and the output names it", async () => {
  model.respond((messages) => (messages.includes("do b") ? { status: 400 } : { tokens: ["ok"] }));
  const steps = [step("a"), step("b"), step("join", { and: ["a", "b"] })];
  const result = await run({ task: "t" }, { steps });
  expect(result).toMatchObject({ status: "failed", path: ["a", "FAILED:b"], errors: { b: expect.stringContaining("400") } });
  expect(result.waiting).toEqual([{ step: "join", came: ["a"], missing: ["b"] }]);
});

test("a router that says retry again and again ends when a step has started as often as it may", async () => {
  model.respond(saying({ "do check": { event: "retry", reason: "not yet" } }));
  const steps = [
    step("first"),
    step("work", { or: ["first", "retry"] }, { each: true, maxFires: 4 }),
    step("check", "work", { routes: ["retry", "success"] }),
    step("done", "success"),
  ];
  const { path, exhausted, output } = await run({ task: "t" }, { steps });
  expect(path.filter((type) => type === "work")).toHaveLength(4);
  expect(path.at(-1)).toBe("retry");
  expect(exhausted).toEqual(["work"]);
  expect(output).toBe("ok"); // steps that listen for a label get the input of the router
});

test("a step that waits for one of two starts once, also if both come in one super-step, and each time if it says so", async () => {
  const steps = (each: boolean) => [step("a"), step("b"), step("first", { or: ["a", "b"] }, { each })];
  model.respond(saying({ "do a": "from a", "do b": "from b" }));
  const once = await run({ task: "t" }, { steps: steps(false) });
  expect(once.path).toEqual(["a", "b", "first"]);
  expect(once.exhausted).toEqual([]);
  expect(JSON.stringify(model.requests[2]?.messages)).toContain("from a");
  expect((await run({ task: "t" }, { steps: steps(true) })).path).toEqual(["a", "b", "first", "first"]);
});

const reviewed = [
  step("write", undefined, { humanFeedback: { message: "Do you approve?", emit: ["approved", "rejected"] } }),
  step("publish", "approved"),
  step("bin", "rejected"),
];

test("a person's free answer is mapped to an outcome, and its text is kept", async () => {
  model.respond(saying({ "do write": "a draft", "Which of the outcomes": { event: "approved", reason: "praise" }, "do publish": "out" }));
  const { thread_id } = await client.threads.create();
  const context = { steps: reviewed };
  const asked = await client.runs.wait(thread_id, "flow", { input: { task: "t" }, context });
  expect(Object(asked).__interrupt__).toMatchObject([{ value: { type: "input", prompt: "Do you approve?", details: "a draft" } }]);
  expect(model.requests).toHaveLength(1);
  const resume = "looks fine but the title is long";
  const done = (await client.runs.wait(thread_id, "flow", { command: { resume }, context })) as never as Flow;
  expect(done.path).toEqual(["write", "feedback:write", "approved", "publish"]);
  expect(done.output).toBe("out");
  const publishing = JSON.stringify(model.requests.at(-1)?.messages);
  for (const words of ["a draft", resume, "approved"]) expect(publishing).toContain(words);
});

test("a person who answers with an outcome needs no model to be understood", async () => {
  model.respond(saying({ "do write": "a draft" }));
  const { thread_id } = await client.threads.create();
  const context = { steps: reviewed };
  await client.runs.wait(thread_id, "flow", { input: { task: "t" }, context });
  const done = (await client.runs.wait(thread_id, "flow", { command: { resume: "Rejected" }, context })) as never as Flow;
  expect(done.path).toEqual(["write", "rejected", "bin"]);
  expect(done.ledger.map(({ agent }) => agent)).toEqual(["write", "bin"]);
});

test("steps whose result is an object change the state, and agents see it", async () => {
  const output = { type: "object", properties: { topic: { type: "string" }, other: { type: "string" } }, required: ["topic"] };
  model.respond(saying({ "do choose": { topic: "rivers", other: "unknown" }, "do write": "text" }));
  const steps = [{ name: "choose", do: { agent: "chooser", task: "do choose" } }, step("write", "choose")];
  const context = { steps, agents: [{ name: "chooser", role: "r", output }] };
  const { state } = await run({ task: "t", state: { topic: "", mood: "calm" } }, context);
  expect(state).toEqual({ topic: "rivers", mood: "calm" });
  const writing = JSON.stringify(model.requests[1]?.messages);
  expect(writing).toContain("calm");
});

test("three failures that nobody hears stop new work, and a person decides: adjust", async () => {
  model.respond((messages) => (messages.includes("More carefully") ? { tokens: ["fine"] } : { status: 400 }));
  const steps = [...["a", "b", "c"].map((name) => step(name)), step("join", { and: ["a", "b", "c"] })];
  const { thread_id } = await client.threads.create();
  const context = { steps };
  const resume = (answer: string) => client.runs.wait(thread_id, "flow", { command: { resume: answer }, context });
  const asked = await client.runs.wait(thread_id, "flow", { input: { task: "t" }, context });
  expect(Object(asked).__interrupt__[0].value).toMatchObject({ type: "selection", options: ["retry", "adjust", "accept"] });
  expect(Object(await resume("adjust")).__interrupt__[0].value).toMatchObject({ type: "input" });
  const done = (await resume("More carefully")) as never as Flow;
  expect(done).toMatchObject({ status: "completed", output: "fine", errors: {}, waiting: [] });
});

test("a step can be another graph, a tool or a question, and a condition can choose between steps", async () => {
  model.respond(saying({ "do big": "big" }));
  const steps = [
    { name: "sum", do: { tool: "calculate", args: { expression: "2 + 3" } } },
    { name: "chat", on: "sum", do: { graph: "chat" } },
    step("big", { event: "sum", when: { path: "payload", matches: "^[5-9]" } }),
    step("small", { event: "sum", when: { path: "payload", matches: "^[0-4]" } }),
  ];
  const { path, errors } = await run({ task: "t" }, { steps });
  expect({ path, errors }).toEqual({ path: ["sum", "big", "chat"], errors: {} });
});

test.each([
  ["a step that waits for nobody's event", [step("a"), step("b", "c")], "steps[1].on"],
  ["two steps with one name", [step("a"), step("a")], "steps[1].name"],
  ["a label with the name of a step", [step("a"), step("b", "a", { routes: ["a", "c"] })], "steps[0].name"],
  ["no step to start with", [step("a", "b"), step("b", "a")], "steps"],
  ["a router with one label", [step("a"), step("b", "a", { routes: ["x"] })], "steps[1].routes"],
  ["a misspelt key", [step("a", undefined, { route: ["x", "y"] })], "steps[0].route"],
  ["feedback without outcomes", [step("a", undefined, { humanFeedback: { message: "?", emit: [] } })], "steps[0].humanFeedback.emit"],
])("%s is refused with its place, before anything runs", async (_what, steps, place) => {
  const refused = await run({ task: "t" }, { steps }).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

test("a second run on the thread begins anew, and a fork ends differently", async () => {
  model.respond(saying({ "do check": { event: "left", reason: "r" } }));
  const context = { steps: [step("check", undefined, { routes: ["left", "right"] }), step("west", "left"), step("east", "right")] };
  const { thread_id } = await client.threads.create();
  const paths = async (more: object) => ((await client.runs.wait(thread_id, "flow", { context, ...more } as object)) as never as Flow).path;
  expect(await paths({ input: { task: "t" } })).toEqual(["left", "west"]);
  const history = await client.threads.getHistory(thread_id, { limit: 20 });
  expect(await paths({ input: { task: "t" } })).toEqual(["left", "west"]);
  model.respond(saying({ "do check": { event: "right", reason: "r" } }));
  const before = history.findLast(({ next }) => next[0] === "react"); // the checkpoint before the first step
  expect(await paths({ input: null, checkpoint: before?.checkpoint })).toEqual(["right", "east"]);
});
