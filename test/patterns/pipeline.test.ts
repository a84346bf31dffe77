import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Pipeline {
  status: string;
  output: unknown;
  outcomes: Record<string, { status: string; output: unknown; error: string | null; tries: number }>;
  stoppedAt: string | null;
  error: string | null;
  warnings: string[];
  path: { step: string; holds: boolean; seen: Record<string, unknown> }[];
  ledger: { agent: string }[];
  messages: { type: string; content: string }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "pipeline", { input, context } as object) as Promise<unknown> as Promise<Pipeline>;
const stage = (name: string, more: object = {}) => ({ name, do: { task: `do ${name}` }, ...more });

test("with nothing but a task, three stages write the answer", async () => {
  model.respond((messages) => {
    if (messages.includes("List the points")) return { tokens: ["points"] };
    return { tokens: [messages.includes("Write the answer") ? "draft" : "final"] };
  });
  const { status, output, messages, ledger } = await run({ task: "Why do rivers bend?" });
  expect({ status, output }).toEqual({ status: "completed", output: "final" });
  expect(messages.map(({ content }) => content)).toEqual(["Why do rivers bend?", "final"]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["outline", "draft", "polish"]);
});

const five = ["one", "two", "three", "four", "five"].map((name) => stage(name));
const outputs = (messages: string) => five.map(({ name }) => name).find((name) => messages.includes(`do ${name}`)) ?? "?";

test("a stage that fails is tried again with its error, and each stage sees only the output of the one before", async () => {
  let failures = 0;
  model.respond((messages) => {
    if (messages.includes("do three") && failures++ < 6) return { status: 500 };
    return { tokens: [`out-${outputs(messages)}`] };
  });
  const { status, output, outcomes } = await run({ task: "the whole task", stages: five });
  expect({ status, output }).toEqual({ status: "completed", output: "out-five" });
  expect(outcomes.three).toMatchObject({ status: "success", tries: 3 });
  const last = JSON.stringify(model.requests.at(-1)?.messages);
  expect(last).toContain("out-four");
  expect(last).not.toContain("out-one");
  const third = model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes("do three"));
  expect(third.at(-1)).toContain("The last try failed");
});

test("a stage that fails for good stops the run; what was done is kept, and later stages are named as not reached", async () => {
  model.respond((messages) => (messages.includes("do three") ? { status: 400 } : { tokens: [`out-${outputs(messages)}`] }));
  const { status, stoppedAt, output, outcomes, messages } = await run({ task: "t", stages: five });
  expect({ status, stoppedAt, output }).toEqual({ status: "stopped", stoppedAt: "three", output: "out-two" });
  expect(Object.values(outcomes).map(({ status }) => status)).toEqual(["success", "success", "failed", "skipped", "skipped"]);
  expect(outcomes.five?.error).toBe('Not reached: "three" failed.');
  expect(messages.at(-1)?.content).toMatch(/^Stopped at "three"/);
});

test("a stage that takes too long counts as failed", async () => {
  model.script({ tokens: ["first"] }, { hang: true });
  const stages = [stage("one"), stage("two", { timeoutSeconds: 0.3, retries: 0 })];
  const { status, outcomes } = await run({ task: "t", stages });
  expect(status).toBe("stopped");
  expect(outcomes.two).toMatchObject({ status: "timeout", tries: 1 });
});

test.each([
  ["continue_with_warning", { output: "out-three", warnings: [expect.stringContaining("two: ")], sees: "out-one" }],
  [{ use: "a fixed value" }, { output: "out-three", warnings: [expect.stringContaining("two: ")], sees: "a fixed value" }],
  [{ handler: { task: "do it differently" } }, { output: "out-three", warnings: [expect.stringContaining("two: ")], sees: "repaired" }],
])("a failed stage need not stop the run: %j", async (onFailure, { sees, ...expected }) => {
  model.respond((messages) => {
    if (messages.includes("do two")) return { status: 400 };
    return { tokens: [messages.includes("do it differently") ? "repaired" : `out-${outputs(messages)}`] };
  });
  const stages = [stage("one"), stage("two", { onFailure, retries: 0 }), stage("three")];
  const { status, output, warnings } = await run({ task: "t", stages });
  expect({ status, output, warnings }).toEqual({ status: "completed", ...expected });
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain(sees);
});

test("retry_once tries a failed stage once more, and then stops", async () => {
  model.respond((messages) => (messages.includes("do one") ? { tokens: ["not JSON"] } : { tokens: ["fine"] }));
  const agents = [
    { name: "strict", role: "r", retries: 0, output: { type: "object", properties: { a: { type: "number" } }, required: ["a"] } },
  ];
  const stages = [{ name: "one", do: { agent: "strict", task: "do one" }, onFailure: "retry_once", retries: 0 }];
  const { status, outcomes } = await run({ task: "t", stages }, { agents });
  expect(status).toBe("stopped");
  expect(outcomes.one?.tries).toBe(2);
});

const Validation = { type: "object", properties: { valid: { type: "boolean" }, strictness: { type: "string" } }, required: ["valid"] };
const agents = [{ name: "validator", role: "a validator", output: Validation }];

test("a critical failure stops the run, whatever the stage says about failures", async () => {
  const output = { type: "object", properties: { status: { type: "string" } }, required: ["status"] };
  model.script({ json: { status: "critical_failure" } });
  const stages = [{ name: "scan", do: { agent: "scanner" }, onFailure: "continue_with_warning" }, stage("next")];
  const { status, stoppedAt } = await run({ task: "t", stages }, { agents: [{ name: "scanner", role: "r", output }] });
  expect({ status, stoppedAt }).toEqual({ status: "stopped", stoppedAt: "scan" });
  expect(model.requests).toHaveLength(1);
});

test("a branch runs one of its arms, both join again, and the path says which way was taken and why", async () => {
  model.respond((messages) =>
    messages.includes("check it") ? { json: { valid: false } } : { tokens: [messages.includes("do basic") ? "basic" : "end"] },
  );
  const stages = [
    { name: "validate", do: { agent: "validator", task: "check it" } },
    { branch: { if: { path: "validate.output.valid", is: true }, then: [stage("strict")], else: [stage("basic")] } },
    stage("finish"),
  ];
  const { output, outcomes, path } = await run({ task: "t", stages }, { agents });
  expect(output).toBe("end");
  expect(Object.entries(outcomes).map(([name, { status }]) => [name, status])).toEqual([
    ["validate", "success"],
    ["strict", "skipped"],
    ["basic", "success"],
    ["finish", "success"],
  ]);
  expect(path).toEqual([{ step: "branch 1", holds: false, seen: { "validate.output.valid": false }, missing: [] }]);
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("basic");
});

test("branches stand inside branches, an arm may be empty, and the output is that of the arm that ran", async () => {
  model.respond((messages) => (messages.includes("check it") ? { json: { valid: true, strictness: "high" } } : { tokens: ["inner"] }));
  const inner = { branch: { if: { path: "validate.output.strictness", is: "high" }, then: [stage("deep")], else: [stage("shallow")] } };
  const stages = (holds: boolean) => [
    { name: "validate", do: { agent: "validator", task: "check it" } },
    { branch: { if: { path: "validate.output.valid", is: holds }, then: [inner] } },
  ];
  const taken = await run({ task: "t", stages: stages(true) }, { agents });
  expect(taken.output).toBe("inner");
  expect(taken.path.map(({ step, holds }) => [step, holds])).toEqual([
    ["branch 1", true],
    ["branch 2", true],
  ]);
  const passed = await run({ task: "t", stages: stages(false) }, { agents });
  expect(passed.output).toEqual({ valid: true, strictness: "high" });
  expect(passed.path.map(({ step, holds }) => [step, holds])).toEqual([["branch 1", false]]);
  expect(passed.outcomes).toMatchObject({ deep: { status: "skipped" }, shallow: { status: "skipped" } });
});

test("a stage whose condition does not hold hands its input on, and a condition over it is false with a warning", async () => {
  model.respond((messages) => ({ tokens: [`out-${outputs(messages)}`] }));
  const stages = [
    stage("one"),
    stage("two", { when: { path: "one.output", matches: "^never" } }),
    stage("three", { when: { path: "two.output.quality", gt: 0.5 } }),
    stage("four"),
  ];
  const { output, outcomes, warnings } = await run({ task: "t", stages });
  expect(output).toBe("out-four");
  expect(Object.values(outcomes).map(({ status }) => status)).toEqual(["success", "skipped", "skipped", "success"]);
  expect(outcomes.two?.error).toContain("^never");
  expect(warnings).toEqual(['three: there is no "two.output.quality".']);
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("out-one");
});

test("a judge decides a question once, with one entry in the ledger", async () => {
  model.respond((messages) => {
    if (messages.includes("Is it risky?")) return { json: { holds: true, reason: "It deletes data." } };
    return { tokens: [`out-${outputs(messages)}`] };
  });
  const stages = [
    stage("one"),
    stage("two", { when: { ask: "Is it risky?" } }),
    stage("three", { when: { not: { ask: "Is it risky?" } } }),
  ];
  const { outcomes, path, ledger } = await run({ task: "t", stages });
  expect(Object.values(outcomes).map(({ status }) => status)).toEqual(["success", "success", "skipped"]);
  expect(path[0]?.seen).toEqual({ "Is it risky?": "It deletes data." });
  expect(ledger.map(({ agent }) => agent)).toEqual(["one", "judge", "two", "judge"]);
});

test("a stage takes what it names: earlier stages, parts of them, the task", async () => {
  model.respond((messages) => (messages.includes("check it") ? { json: { valid: true, strictness: "high" } } : { tokens: ["done"] }));
  const stages = [
    { name: "validate", do: { agent: "validator", task: "check it" } },
    stage("two"),
    stage("three", { takes: ["task", "validate.output.strictness"] }),
  ];
  await run({ task: "the whole task", stages }, { agents });
  const last = JSON.stringify(model.requests.at(-1)?.messages);
  expect(last).toContain("the whole task");
  expect(last).toContain("high");
  expect(last).not.toContain("done");
});

test("a stage can call a tool with values of earlier stages, and run another graph", async () => {
  model.respond(() => ({ tokens: ["from the other graph"] }));
  const stages = [
    { name: "sum", do: { tool: "calculate", args: { expression: { path: "input.expression" } } } },
    { name: "tell", do: { graph: "chat" } },
    { name: "again", do: { graph: "reflect", input: { task: { path: "tell.output" } } }, retries: 0, onFailure: "continue_with_warning" },
  ];
  const { outcomes } = await run({ task: "t", input: { expression: "2 + 3" }, stages });
  expect(String(outcomes.sum?.output)).toBe("5");
  expect(outcomes.tell).toMatchObject({ status: "success", output: "from the other graph" });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("5");
  expect(outcomes.again).toMatchObject({ status: "failed" });
});

test("a stage can ask a person, whose answer is its output", async () => {
  model.respond((messages) => ({ tokens: [`out-${outputs(messages)}`] }));
  const { thread_id } = await client.threads.create();
  const stages = [stage("one"), { name: "ask", do: { ask: "Which way?", options: ["left", "right"] } }, stage("two")];
  const asked = (await client.runs.wait(thread_id, "pipeline", { input: { task: "t", stages } })) as never as { __interrupt__: object[] };
  expect(asked.__interrupt__).toMatchObject([
    { value: { type: "selection", prompt: "Which way?", options: ["left", "right"], details: "out-one" } },
  ]);
  const done = (await client.runs.wait(thread_id, "pipeline", { command: { resume: "right" } })) as unknown as Pipeline;
  expect(done.outcomes.ask).toMatchObject({ status: "success", output: "right" });
  expect(model.requests).toHaveLength(2);
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("right");
});

test.each([
  ["no stages", { stages: [] }, "stages"],
  ["a stage without work", { stages: [{ name: "a" }] }, "stages[0].do"],
  ["a misspelt key", { stages: [stage("a", { takse: ["task"] })] }, "stages[0].takse"],
  ["two stages with one name", { stages: [stage("a"), stage("a")] }, "stages[1].name"],
  ["a later stage's output", { stages: [stage("a", { takes: ["b"] }), stage("b")] }, "stages[0].takes"],
  ["two kinds of work", { stages: [{ name: "a", do: { tool: "now", agent: "x" } }] }, "stages[0].do"],
  ["an unknown tool", { stages: [{ name: "a", do: { tool: "nothing" } }] }, "stages[0].do.tool"],
  ["an unknown graph", { stages: [{ name: "a", do: { graph: "nothing" } }] }, "stages[0].do.graph"],
  ["a condition without an operator", { stages: [stage("a", { when: { path: "task" } })] }, "stages[0].when"],
  ["a pattern that is none", { stages: [stage("a", { when: { path: "task", matches: "(" } })] }, "stages[0].when.matches"],
  ["a branch with a name", { stages: [{ name: "a", branch: { if: { path: "task", exists: true }, then: [] } }] }, "stages[0].branch"],
  ["branches too deep", { stages: [deep(4)] }, "branch"],
  ["too many stages", { stages: Array.from({ length: 21 }, (_, n) => stage(`s${n}`)) }, "stages"],
])("%s is refused with its place, before anything runs", async (_what, input, place) => {
  const refused = await run({ task: "t", ...input }).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

function deep(levels: number): object {
  return levels === 0 ? stage("inner") : { branch: { if: { path: "task", exists: true }, then: [deep(levels - 1)] } };
}

test("a stage with an agent that nobody defined fails the run with the names that there are", async () => {
  const stages = [{ name: "a", do: { agent: "ghost" } }];
  await expect(run({ task: "t", stages }, { agents })).rejects.toThrow('There is no agent "ghost"; there are validator');
});

test("a second run on the thread begins anew, and a fork ends differently", async () => {
  model.respond((messages) => ({ tokens: [messages.includes("do two") ? "second" : "first"] }));
  const { thread_id } = await client.threads.create();
  const first = (await client.runs.wait(thread_id, "pipeline", {
    input: { task: "t", stages: [stage("one"), stage("two")] },
  })) as never as Pipeline;
  expect(first.output).toBe("second");
  const history = await client.threads.getHistory(thread_id, { limit: 20 });
  const again = (await client.runs.wait(thread_id, "pipeline", { input: { task: "u", stages: [stage("one")] } })) as never as Pipeline;
  expect(again.output).toBe("first");
  expect(Object.keys(again.outcomes)).toEqual(["one"]);
  const before = history.find(({ next, values }) => next[0] === "step" && Object.keys(Object(values).results ?? {}).length === 1);
  model.respond(() => ({ tokens: ["another"] }));
  const fork = (await client.runs.wait(thread_id, "pipeline", {
    input: null,
    checkpoint: before?.checkpoint as never,
  })) as never as Pipeline;
  expect(fork.output).toBe("another");
});
