import { beforeEach, expect, test } from "vitest";
import type { Facts } from "../../graphs/chooser/facts.ts";
import { chooser, react } from "../../graphs/index.ts";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

// These files import the library, which must be loaded first.
const { factNames } = await import("../../graphs/chooser/facts.ts");
const { choosable } = await import("../../graphs/chooser/rules.ts");
const { missingGraph } = await import("../../graphs/chooser/warnings.ts");
const { client, model } = await startPatterns();

interface Chosen {
  choice: {
    pattern: string;
    graphId: string;
    reasons: string[];
    path: { question: string; answer: string }[];
    runnersUp: { pattern: string; reason: string }[];
    payload: { assistant_id: string; input: object; context?: object };
    estimate: { calls: number; tokens: number; dollars: number | null };
    facts: Facts;
    evidence: Record<string, string>;
    warnings: string[];
  };
  result: unknown;
  messages: { type: string; content: string }[];
  ledger: { agent: string; outcome: string }[];
}

const task = "Compare our three suppliers";
/** Facts with which every question has the answer no. Each test changes one of them. */
const no: Facts = {
  ...{ minutes: 60, independent: false, sequential: false, undo: false, opinions: "none", items: 1, judgement: false, dynamic: false },
  ...{ decisions: "simple", speed: "normal", quality: "normal", authority: "shared", flexibility: "low", resilience: "normal" },
  ...{ humanInTheLoop: false, roles: false, handoff: false, states: false, loads: false, agents: 3 },
};

let reply: ScriptedReply;
beforeEach(() => {
  reply = { json: { found: [] } };
  model.requests.length = 0;
  model.respond((messages) => (messages.includes("Find facts about the task") ? reply : { tokens: ["Supplier ", "B."] }));
});

const choose = (facts?: Facts | null, more: object = {}, context: object = {}) =>
  client.runs.wait(null, "chooser", { input: { task, facts, ...more }, context } as object) as Promise<unknown> as Promise<Chosen>;

const leaves: [Facts, string][] = [
  [{ minutes: 4 }, "react"],
  [{ independent: true }, "fan-out"],
  [{ independent: true, speed: "critical" }, "fan-out"],
  [{ sequential: true }, "pipeline"],
  [{ sequential: true, undo: true }, "saga"],
  [{ opinions: "independent" }, "panel"],
  [{ opinions: "opposed" }, "debate"],
  [{ items: 100 }, "map-reduce"],
  [{ flexibility: "high" }, "choreography"],
  [{ decisions: "complex", authority: "clear" }, "hierarchy"],
  [{ dynamic: true, resilience: "critical" }, "mesh"],
  [{ judgement: true }, "supervisor"],
  [{ quality: "critical" }, "reflect"],
  [{ roles: true }, "crew"],
  [{ handoff: true }, "swarm"],
  [{ states: true }, "state-machine"],
  [{ loads: true }, "scenario"],
  [{}, "pipeline"],
];

test.each(leaves)("the facts %j alone lead to %s, and no model is asked", async (facts, pattern) => {
  const { choice, messages } = await choose({ ...no, ...facts });
  expect(choice).toMatchObject({ pattern, graphId: pattern, payload: { assistant_id: pattern } });
  expect(choice.reasons).toHaveLength(1);
  expect(choice.path.at(-1)?.answer).toBe(Object.keys(facts).length > 0 ? "yes" : "no");
  expect(choice.path.slice(0, -1).every(({ answer }) => answer === "no")).toBe(true);
  expect(choice.runnersUp).toHaveLength(2);
  expect(choice.runnersUp.map((one) => one.pattern)).not.toContain(pattern);
  expect(messages.at(-1)?.content).toContain(`Use \`${pattern}\``);
  expect(model.requests).toEqual([]);
});

test("every pattern that can be chosen is a leaf of the table", () => {
  expect(choosable.toSorted()).toEqual([...new Set(leaves.map(([, pattern]) => pattern))].toSorted());
  expect(Object.keys(no).toSorted()).toEqual(factNames.toSorted());
});

test.each(leaves)("the payload for %j is accepted by the graph %s", async (facts, pattern) => {
  const { choice } = await choose({ ...no, ...facts });
  const { assistant_id: graphId, ...payload } = choice.payload;
  expect(graphId).toBe(pattern);
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, graphId, payload as object);
  await client.runs.cancel(threadId, runId, true, "rollback");
});

test("the model is asked only for the facts that the decision needs, and its evidence is kept", async () => {
  const found = [
    { fact: "sequential", value: true, evidence: "first collect, then compare" },
    { fact: "minutes", value: "soon", evidence: "soon" },
    { fact: "independent", value: true, evidence: "not asked" },
  ];
  reply = { json: { found } };
  const { choice, ledger } = await choose({ independent: false, handoff: true });
  expect(choice).toMatchObject({ pattern: "pipeline", facts: { sequential: true, independent: false } });
  expect(choice.evidence).toEqual({ sequential: "first collect, then compare" });
  expect(choice.path.map(({ answer }) => answer)).toEqual(["unknown", "no", "yes"]);
  expect(choice.runnersUp[0]?.pattern).toBe("swarm");
  const asked = JSON.stringify(model.requests[0]?.messages);
  expect(asked).toContain("- minutes (a number)");
  expect(asked).not.toContain("- independent (");
  expect(asked).not.toContain("- states (");
  expect(ledger).toMatchObject([{ agent: "reader", outcome: "success" }]);
});

test("null is an unknown fact that nobody is asked about, and `ask: false` asks about none", async () => {
  const { choice } = await choose(Object.fromEntries(factNames.map((name) => [name, null])));
  expect(choice.pattern).toBe("pipeline");
  expect(choice.path.every(({ answer }) => answer === "unknown")).toBe(true);
  expect((await choose(undefined, {}, { ask: false })).choice.pattern).toBe("pipeline");
  expect(model.requests).toEqual([]);
});

test("a model that fails leaves the facts unknown, and the warning says so", async () => {
  reply = { status: 400 };
  const { choice, ledger } = await choose({ roles: true });
  expect(choice.pattern).toBe("crew");
  expect(choice.warnings.join()).toContain("The facts could not be read from the task");
  expect(ledger).toMatchObject([{ outcome: "failed" }]);
});

test("contradictory facts are named with the patterns that they call for", async () => {
  const { choice } = await choose({ ...no, independent: true, sequential: true });
  expect(choice.pattern).toBe("fan-out");
  expect(choice.runnersUp[0]?.pattern).toBe("pipeline");
  expect(choice.warnings).toContain("`independent` and `sequential` contradict each other: fan-out fits the one, and pipeline the other.");
});

test("the warnings tell of many agents, short tasks, talk among agents, steps that nothing speeds up, and a person who is not asked", async () => {
  expect((await choose({ ...no, independent: true, agents: 9 })).choice.warnings.join()).toContain("9 agents are many");
  expect((await choose({ ...no, minutes: 1 })).choice.warnings.join()).toContain("less than 5 minutes");
  expect((await choose({ ...no, handoff: true })).choice.warnings.join()).toContain("two to three times the tokens");
  expect((await choose({ ...no, sequential: true, speed: "critical" })).choice.warnings.join()).toContain("Steps in sequence");
  expect((await choose({ ...no, judgement: true, humanInTheLoop: true })).choice.warnings.join()).toContain("`ask_human`");
  expect((await choose({ ...no, minutes: 30, independent: true })).choice.warnings).toEqual([]);
});

test("the estimate grows with the agents, and has dollars if the model has a price", async () => {
  const small = (await choose({ ...no, independent: true, agents: 2 })).choice.estimate;
  expect(small).toEqual({ calls: 3, tokens: 6_000, dollars: expect.closeTo((4_500 * 0.25 + 1_500 * 2) / 1e6) });
  const unknown = await choose({ ...no, independent: true, agents: 6 }, {}, { models: { worker: "openai:some-model" } });
  expect(unknown.choice.estimate).toMatchObject({ calls: 7, dollars: null });
});

test("with `run`, the chosen pattern answers as a part of the run, and its calls are in the ledger", async () => {
  const { choice, result, messages, ledger } = await choose({ ...no, minutes: 2 }, { run: true });
  expect(choice.pattern).toBe("react");
  expect(result).toBe("Supplier B.");
  expect(messages.map(({ type, content }) => [type, content])).toEqual([
    ["human", task],
    ["ai", "Supplier B."],
  ]);
  expect(ledger.length).toBeGreaterThan(0);
});

test("a question of the pattern that `run` started reaches the person, and the answer continues it", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const input = { task, facts: { ...no, sequential: true, humanInTheLoop: true }, run: true };
  const asked = (await client.runs.wait(threadId, "chooser", { input })) as { __interrupt__?: { value: { prompt: string } }[] };
  expect(asked.__interrupt__).toMatchObject([{ value: { prompt: "Is the draft good? Say what to change." } }]);
  const drafted = model.requests.length;
  const done = (await client.runs.wait(threadId, "chooser", { command: { resume: "It is good" } })) as unknown as Chosen;
  expect(done.result).toBe("Supplier B.");
  expect(model.requests).toHaveLength(drafted + 1);
});

test("a second run on the thread knows nothing of the first one's facts", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "chooser", { input: { task, facts: { ...no, minutes: 1 } } });
  const second = (await client.runs.wait(threadId, "chooser", {
    input: { messages: [{ role: "user", content: "Another" }], facts: { ...no, roles: true } },
  })) as unknown as Chosen;
  expect(second.choice).toMatchObject({ pattern: "crew", payload: { input: { messages: [{ content: "Another" }] } } });
  expect(second.messages.filter(({ type }) => type === "ai")).toHaveLength(2);
});

test.each([
  [{ facts: { minuts: 3 } }, "facts.minuts", "did you mean"],
  [{ facts: { opinions: "many" } }, "facts.opinions", ""],
  [{ facts: { minutes: -1 } }, "facts.minutes", ""],
  [{ run: "yes" }, "run", ""],
  [{ task: "" }, "task", ""],
])("the input %j is refused at %s", async (wrong, path, hint) => {
  const refused = client.runs.wait(null, "chooser", { input: { task, ...wrong } });
  await expect(refused).rejects.toThrow(path);
  await expect(client.runs.wait(null, "chooser", { input: { task, ...wrong } })).rejects.toThrow(hint);
});

test("in code, a graph of its own is started", async () => {
  const own = chooser({ graphs: { react: react() } });
  const { result } = await own.invoke({ task, facts: { ...no, minutes: 2 }, run: true });
  expect(result).toBe("Supplier B.");
});

test("a pattern that the project lacks is named", () => {
  expect(missingGraph("mesh", ["react", "pipeline"])).toBe('This project has no graph "mesh". Add it to langgraph.json.');
  expect(missingGraph("react", ["react", "pipeline"])).toBeUndefined();
  expect(missingGraph("mesh", [])).toBeUndefined(); // in a program without a project
});
