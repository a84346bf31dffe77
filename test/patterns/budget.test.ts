import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Spent {
  results?: Record<string, { status: string }>;
  ledger: { agent: string; inputTokens: number; outputTokens: number; at: string; elapsedMs: number }[];
}

const ids = ["a", "b", "c", "d"];
const steps = ids.map((id) => ({ id, agent: "one", task: `do ${id}`, dependsOn: [] }));
const roster = [{ name: "one", role: "a reviewer", retries: 0 }];
const answers: [words: string, reply: ScriptedReply][] = [
  ["Split this task", { json: { steps } }],
  ["Review the work", { json: { decision: "finish", reason: "fine" } }],
  ["Write the report", { tokens: ["Done."] }],
];
const answering = (work: ScriptedReply) => model.respond((messages) => answers.find(([words]) => messages.includes(words))?.[1] ?? work);
const long = { json: { summary: "x".repeat(8_000), findings: [] } };

beforeEach(() => void model.lacks.add("usage")); // a call's cost thus depends on the length of its texts
afterEach(() => model.lacks.clear());

const start = async (graphId: string, payload: object) => {
  const { thread_id: threadId } = await client.threads.create();
  const outcome = (await client.runs.wait(threadId, graphId, { ...payload, raiseError: false } as object)) as {
    __error__?: { message: string };
  };
  const { values } = await client.threads.getState<Spent>(threadId);
  return { threadId, error: outcome.__error__?.message, ...values };
};
/** Tells whether the first call of the agent had ended before its second call began. */
function oneAtFirst({ ledger }: Spent): boolean {
  const calls = ledger
    .filter(({ agent }) => agent === "one")
    .map(({ at, elapsedMs }) => ({ begin: Date.parse(at), end: Date.parse(at) + elapsedMs }))
    .toSorted((one, other) => one.begin - other.begin);
  return (calls[1]?.begin ?? 0) >= (calls[0]?.end ?? 0) - 5;
}
const asked = (words: string) => model.requests.filter(({ messages }) => JSON.stringify(messages).includes(words)).length;

test("agents that begin together do not all start when the budget has room for one call", async () => {
  answering(long);
  const context = { roster, budget: { tokens: 900 }, limits: { stageMs: 0 } };
  const { threadId, error, ledger, results } = await start("supervisor", { input: { task: "Review" }, context });
  expect(error).toContain("of its budget of 900");
  expect(ids.reduce((sum, id) => sum + asked(`Task: do ${id}`), 0)).toBe(1);
  expect(ledger.map(({ agent }) => agent)).toEqual(["supervisor", "one"]);
  expect(Object.keys(results ?? {})).toHaveLength(1);

  answering({ json: { summary: "seen", findings: [] } });
  const more = { ...context, budget: { tokens: 100_000 } };
  const done = (await client.runs.wait(threadId, "supervisor", { input: null, context: more } as object)) as unknown as Required<Spent>;
  expect(Object.values(done.results).map(({ status }) => status)).toEqual(["success", "success", "success", "success"]);
});

test("calls that turn out cheaper than expected go on after the first one, and the run ends well", async () => {
  answering({ tokens: ["", "", '{"summary":"seen",', '"findings":[]}'], pauseMs: 60 });
  const context = { roster, limits: { stageMs: 0 } };
  const tight = await start("supervisor", { input: { task: "Review" }, context: { ...context, budget: { tokens: 900 } } });
  expect({ error: tight.error, oneAtFirst: oneAtFirst(tight) }).toEqual({ error: undefined, oneAtFirst: true });
  const wide = await start("supervisor", { input: { task: "Review" }, context: { ...context, budget: { tokens: 100_000 } } });
  expect({ error: wide.error, oneAtFirst: oneAtFirst(wide) }).toEqual({ error: undefined, oneAtFirst: false });
});

test("a budget in dollars counts the calls in flight too, and so does one with a cache of results", async () => {
  answering(long);
  const prices = { "gpt-5-mini": { input: 1, output: 1 } };
  const context = { roster, budget: { dollars: 0.0009, prices }, limits: { stageMs: 0 }, cache: true };
  const { error, ledger } = await start("supervisor", { input: { task: "Review dearly" }, context });
  expect(error).toContain("of its budget of $0.0009");
  expect(ledger.map(({ agent }) => agent)).toEqual(["supervisor", "one"]);
});

test("a scenario's calls count the calls of its siblings that are in flight", async () => {
  model.respond(() => ({ json: { text: "word ".repeat(800) } }));
  const small = (name: string) => ({ name, inputSize: 2, batchSize: 2, complexityMultiplier: 1 });
  const scenarios = [small("one"), small("two"), small("three")];
  const { error } = await start("scenario", { input: { skill: "echo-agent", scenarios }, context: { budget: { tokens: 150 } } });
  expect(error).toContain("of its budget of 150");
  expect(model.requests).toHaveLength(1);
});
