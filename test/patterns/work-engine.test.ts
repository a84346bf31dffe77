import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Work {
  status: string;
  output: unknown;
  skills: string[];
  items: string[];
  outcomes: { status: string; tries: number; error: string | null }[];
  reason: string | null;
  __interrupt__?: { value: { prompt: string; options?: string[] } }[];
}

const passed = (more: object = {}) => ({ json: { passed: true, quality: 0.9, reasons: [], findings: [], ...more } });
const blocked = (...reasons: string[]) => ({ json: { passed: false, quality: 0.3, reasons, findings: [] } });
const isGate = (messages: string) => messages.includes("Judge the output of a stage");
const stage = (capability: string, goal = `do ${capability}`) => ({ capability, goal });

const contracts = [
  { skill: "architect", capabilities: ["design"], downstream: ["python-backend"] },
  { skill: "node-backend", capabilities: ["api", "worker"] },
  { skill: "python-backend", capabilities: ["api", "worker"], downstream: ["python-backend", "tester"] },
  { skill: "tester", capabilities: ["test"] },
];
const four = ["design", "api", "worker", "test"].map((capability) => stage(capability));

let number = 0;
const start = async (input: object, context: object = { contracts }) => {
  const { thread_id } = await client.threads.create();
  const name = `w${++number}`;
  const go = async (payload: object) =>
    (await client.runs.wait(thread_id, "work-engine", { ...payload, context } as object)) as unknown as Work;
  const first = await go({ input: { task: "Build it", project: "shop", name, ...input } });
  return { first, go, name };
};
const itemOf = async (key: string, project = "shop") => (await client.store.getItem(["work-items", project], key))?.value;

test("with nothing but a task, three skills do the usual stages, and each passes its gate", async () => {
  model.respond((messages) => (isGate(messages) ? passed() : { tokens: ["the work"] }));
  const { first } = await start({}, {});
  expect(first).toMatchObject({ status: "completed", output: "the work", skills: ["planner", "writer", "checker"] });
});

test("a stage finds its skill by capability, and the skill before it decides between several", async () => {
  model.respond((messages) => (isGate(messages) ? passed() : { tokens: ["done"] }));
  const { first, name } = await start({ stages: four });
  expect(first.skills).toEqual(["architect", "python-backend", "python-backend", "tester"]);
  expect(first.items).toEqual([1, 2, 3, 4].map((n) => `wf-${name}-stage-${n}`));
  expect(await itemOf(`wf-${name}-stage-3`)).toMatchObject({
    status: "done",
    skill: "python-backend",
    dependsOn: [`wf-${name}-stage-2`],
    events: [{ event: "planned" }, { event: "passed the gate" }],
  });
});

test("a capability that no skill has fails the run with those there are, before any work", async () => {
  await expect(start({ stages: [stage("paint")] })).rejects.toThrow('"paint"; there are design, api, worker, test');
  expect(model.requests).toHaveLength(0);
});

test("a gate that blocks asks a person, who overrules it", async () => {
  model.respond((messages) => (isGate(messages) ? (messages.includes("do api") ? blocked("No tests.") : passed()) : { tokens: ["done"] }));
  const { first, go, name } = await start({ stages: [stage("api"), stage("test")] });
  expect(first.__interrupt__).toMatchObject([
    { value: { prompt: expect.stringContaining("blocks stage 1"), options: ["overrule", "stop"] } },
  ]);
  const before = model.requests.length;
  expect(await go({ command: { resume: "overrule" } })).toMatchObject({ status: "completed", output: "done" });
  expect(model.requests.length - before).toBe(2); // the second stage and its gate, without repeating the first stage
  expect(await itemOf(`wf-${name}-stage-1`)).toMatchObject({ status: "done", events: [{}, { event: "a person overruled the gate" }] });
});

test("a person who stops at the gate ends the run, and later stages do not begin", async () => {
  model.respond((messages) => (isGate(messages) ? blocked("Too slow.") : { tokens: ["done"] }));
  const { go, name } = await start({ stages: [stage("api"), stage("test")] });
  expect(await go({ command: { resume: "stop" } })).toMatchObject({ status: "stopped", reason: "The gate stopped stage 1: Too slow." });
  expect(await itemOf(`wf-${name}-stage-1`)).toMatchObject({ status: "failed" });
  expect(await itemOf(`wf-${name}-stage-2`)).toMatchObject({ status: "pending" });
  expect(model.requests).toHaveLength(2);
});

const outputs = {
  type: "object",
  properties: { artifacts: { type: "array", items: {} }, tests: { type: "array", items: {} } },
  required: ["artifacts", "tests"],
};
const coder = [{ name: "coder", role: "r", output: { type: "object", additionalProperties: true } }];

test.each([
  ["no tests", { artifacts: ["a.ts"], tests: [] }],
  ["a test that failed", { artifacts: ["a.ts"], tests: [{ name: "t", passed: false }] }],
])("a gate blocks for %s, whatever the reviewer says", async (_what, output) => {
  model.respond((messages) => (isGate(messages) ? passed() : { json: output }));
  const contract = { skill: "coder", capabilities: ["code"], do: { agent: "coder" }, outputs, requires: ["artifacts", "tests"] };
  const { first } = await start({ stages: [stage("code")] }, { contracts: [contract], agents: coder });
  expect(first.__interrupt__).toHaveLength(1);
});

test("an output that breaks its contract goes back once with the problem, and a second one stops the run", async () => {
  const replies = [{ json: { artifacts: ["a.ts"] } }, { json: { artifacts: ["a.ts"], tests: [{ passed: true }] } }];
  model.respond((messages) => (isGate(messages) ? passed() : (replies.shift() ?? { json: { wrong: true } })));
  const contract = { skill: "coder", capabilities: ["code"], do: { agent: "coder" }, outputs };
  const context = { contracts: [contract], agents: coder };
  const { first } = await start({ stages: [stage("code")] }, context);
  expect(first).toMatchObject({ status: "completed", outcomes: [{ tries: 2 }] });
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("does not fit its contract");
  const { first: second, name } = await start({ stages: [stage("code")] }, context);
  expect(second).toMatchObject({ status: "stopped", reason: expect.stringContaining("does not fit its contract") });
  expect(await itemOf(`wf-${name}-stage-1`)).toMatchObject({ status: "failed" });
});

test("lessons of a stage are in the prompt of the next stage, and of the skill's next run", async () => {
  const lesson = "Name the currency of every amount.";
  model.respond((messages) =>
    isGate(messages) ? passed({ findings: messages.includes("first goal") ? [lesson] : [] }) : { tokens: ["done"] },
  );
  const skill = { skill: "accountant", capabilities: ["count"] };
  const stages = [stage("count", "the first goal"), stage("count", "the second goal")];
  await start({ stages }, { contracts: [skill] });
  const prompt = (goal: string) =>
    model.requests.map(({ messages }) => JSON.stringify(messages)).findLast((text) => text.includes(goal) && !isGate(text));
  expect(prompt("the second goal")).toContain(lesson);
  await start({ stages: [stage("count", "the third goal")] }, { contracts: [skill] });
  expect(prompt("the third goal")).toContain(lesson);
});

test("a skill that fails often gets a repair ticket, and a healthier skill is chosen", async () => {
  const two = [
    { skill: "shaky", capabilities: ["build"], do: { tool: "calculate", args: { expression: "1 / (" } } },
    { skill: "steady", capabilities: ["build"] },
  ];
  model.respond((messages) => (isGate(messages) ? passed() : { tokens: ["done"] }));
  const { first } = await start({ stages: [stage("build")] }, { contracts: two });
  expect(first).toMatchObject({ status: "stopped", skills: ["shaky"] });
  expect((await client.store.getItem(["repair-tickets"], "shaky"))?.value).toMatchObject({ reason: "fails in 100 % of its stages" });
  const { first: next } = await start({ stages: [stage("build")] }, { contracts: two });
  expect(next).toMatchObject({ status: "completed", skills: ["steady"] });
});

test("an external stage waits for its output", async () => {
  model.respond(() => passed());
  const { first, go } = await start({ stages: [{ ...stage("api"), external: true }] });
  expect(first.__interrupt__).toMatchObject([{ value: { type: "input", prompt: "do api" } }]);
  expect(await go({ command: { resume: "built by hand" } })).toMatchObject({ status: "completed", output: "built by hand" });
});

test.each([
  ["no stages", { stages: [] }, "stages"],
  ["a stage without a goal", { stages: [{ capability: "api" }] }, "stages[0].goal"],
  ["a name with a slash", { name: "a/b" }, "name"],
  ["a misspelt key", { stages: [{ ...stage("api"), extrenal: true }] }, "stages[0].extrenal"],
])("%s is refused with its place, before anything runs", async (_what, input, place) => {
  const refused = await start(input).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.message).toContain(place);
});
