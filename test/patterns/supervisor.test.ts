import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { until } from "../command.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Supervised {
  steps: { id: string; agent: string }[];
  results: Record<string, { status: string; tries: number; error: string | null }>;
  settlements: { by: string; winner: { agent: string; recommendation: string }; losers: { agent: string }[] }[];
  messages: { type: string; content: string }[];
  reviews: { decision: string; reassigned: string[]; added: string[]; refused: string[] }[];
  report: {
    executiveSummary: string;
    gaps: string[];
    recommendations: string[];
    findingsByCategory: Record<string, string[]>;
    confidence: number;
    consensus: { subject: string; agents: string[] }[];
    disagreements: { subject: string; recommendation: string; against: { agent: string; confidence: number }[] }[];
  };
  ledger: { agent: string; outcome: string; at: string }[];
  __interrupt__?: { value: { prompt: string; options: string[] } }[];
}

const step = (id: string, agent: string, ...dependsOn: string[]) => ({ id, agent, task: `do ${id}`, dependsOn });
const finding = (subject: string, recommendation: string, confidence = 0.5) => ({
  category: "c",
  subject,
  statement: "s",
  recommendation,
  confidence,
});
const work = (...findings: object[]) => ({ json: { summary: "seen", findings } });
const report = { tokens: ["All ", "seen."] };
const goOn = { json: { decision: "continue", reason: "fine" } };

let script: {
  plans: object[][];
  work: Record<string, ScriptedReply[]>;
  reviews: ScriptedReply[];
  groups: ScriptedReply[];
  others: ScriptedReply[];
};
/** Answers each step by its task, and the judge by its question. The last reply of a list is repeated. */
const next = (replies: ScriptedReply[]) => (replies.length > 1 ? replies.shift() : replies[0]) ?? goOn;

beforeEach(() => {
  script = { plans: [], work: {}, reviews: [goOn], groups: [{ json: { groups: [] } }], others: [] };
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps: script.plans.length > 1 ? script.plans.shift() : script.plans[0] } };
    if (messages.includes("Review the work")) return next(script.reviews);
    if (messages.includes("Group these findings")) return next(script.groups);
    if (messages.includes("Write the report")) return report;
    const id = /Task: do (\w+)/.exec(messages)?.[1];
    return id ? next(script.work[id] ?? [work()]) : next(script.others);
  });
});

const run = (payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "supervisor", payload) as Promise<unknown> as Promise<Supervised>;
const task = { input: { task: "Review the code", input: "code" } };
const promptsFor = (id: string) =>
  model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes(`Task: do ${id}`));

test("steps go out in waves, each with the results it depends on and nothing else", async () => {
  script.plans = [[step("a", "security"), step("b", "quality"), step("c", "architecture", "a")]];
  script.work = { a: [work(finding("login", "hash passwords"))], b: [work(finding("names", "rename"))] };
  const { results, report, ledger } = await run(task);
  expect(Object.values(results).map(({ status }) => status)).toEqual(["success", "success", "success"]);
  expect(promptsFor("c")[0]).toContain("hash passwords");
  expect(promptsFor("c")[0]).not.toContain("rename");
  expect(report).toMatchObject({ executiveSummary: "All seen.", gaps: [] });
  expect(ledger).toHaveLength(7); // a plan, three steps, a review, a comparison of the findings, a report
});

test("a plan that cannot be carried out goes back once with the reasons, and a second one ends the run", async () => {
  const bad = [step("a", "nobody"), step("b", "security", "c"), step("c", "security", "b")];
  script.plans = [bad, [step("a", "security")]];
  expect((await run(task)).steps).toMatchObject([{ id: "a", agent: "security" }]);
  const second = JSON.stringify(model.requests[1]?.messages);
  expect(second).toContain("nobody");
  expect(second).toContain("in a circle");
  script.plans = [bad];
  await expect(run(task)).rejects.toThrow('No plan that can be carried out: Step "a" is for "nobody"');
});

test("a failed step harms no sibling, is tried again or reassigned, and what depends on it is named as missing", async () => {
  script.plans = [[step("good", "security"), step("bad", "quality"), step("after", "architecture", "bad")]];
  script.work = { bad: [{ status: 400 }] };
  script.reviews = [{ json: { decision: "continue", reason: "again", reassign: [{ id: "bad", agent: "performance" }] } }, goOn];
  const { results, steps, report } = await run(task);
  expect(results.good?.status).toBe("success");
  expect(results.bad).toMatchObject({ status: "failed", tries: 2 });
  expect(steps.find(({ id }) => id === "bad")?.agent).toBe("performance");
  expect(results.after).toMatchObject({ status: "skipped", work: null });
  expect(report.gaps).toEqual([expect.stringMatching(/^bad \(do bad\): /), "after (do after): skipped, because bad did not succeed"]);
});

test("steps that turn out to be needed are added", async () => {
  script.plans = [[step("a", "security")]];
  script.reviews = [{ json: { decision: "continue", reason: "more", add: [step("b", "quality", "a")] } }, goOn];
  const { results } = await run(task);
  expect(Object.keys(results)).toEqual(["a", "b"]);
});

test("three failures stop the work and ask a person; an unattended caller gets what there is", async () => {
  script.plans = [["w", "x", "y", "z"].map((id) => step(id, "security"))];
  const broken = { w: [work()], x: [{ status: 400 }], y: [{ status: 400 }], z: [{ status: 400 }] };
  script.work = { ...broken };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run(task, threadId);
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({
    prompt: expect.stringContaining("1 of 4 done; failed: x ("),
    options: ["retry", "adjust", "accept"],
  });
  script.work = {};
  expect((await run({ command: { resume: "retry" } }, threadId)).results).toMatchObject({
    x: { status: "success" },
    z: { status: "success" },
  });

  script.work = { ...broken };
  const partial = await run({ ...task, context: { onFailures: "partial" } });
  expect(partial.report.gaps).toHaveLength(3);
  script.work = { w: [{ status: 400 }], x: [{ status: 400 }], y: [{ status: 400 }], z: [{ status: 400 }] };
  await expect(run({ ...task, context: { onFailures: "partial" } })).rejects.toThrow("No step succeeded");
});

test.each([
  ["confidence", "scale out", undefined],
  ["vote", "add an index", undefined],
  ["weighted", "scale out", undefined],
  ["arbitration", "add an index", { json: { winner: "add an index", reason: "cheaper", confidence: 0.8 } }],
])("contradicting recommendations are settled by %s, and the losing view stays", async (conflicts, winner, ruling) => {
  script.plans = [[step("a", "one"), step("b", "two"), step("c", "three")]];
  script.work = {
    a: [work(finding("Database", "scale out", 0.9))],
    b: [work(finding("database", "add an index", 0.6))],
    c: [work(finding("database ", "Add an index", 0.5))],
  };
  script.others = ruling ? [ruling] : [];
  const roster = ["one", "two", "three"].map((name) => ({ name, role: "a reviewer", weight: name === "one" ? 5 : 1 }));
  const { settlements } = await run({ ...task, context: { conflicts, roster } });
  expect(settlements).toMatchObject([{ by: conflicts, winner: { recommendation: winner } }]);
  expect(settlements[0]?.losers.length).toBeGreaterThan(0);
});

/** Two agents of different weight that contradict each other. `kind` is the kind of their conflict. */
function contradicting(kind: string) {
  script.plans = [[step("a", "one"), step("b", "two")]];
  script.work = { a: [work(finding("budget", "buy servers", 0.9))], b: [work(finding("Budget", "hire people", 0.4))] };
  script.groups = [{ json: { groups: [{ subject: "budget", relation: "contradicts", kind, findings: [0, 1] }] } }];
  return { roster: ["one", "two"].map((name) => ({ name, role: "a reviewer", weight: name === "two" ? 3 : 1 })) };
}

test("a contradiction about a resource goes by the agents' priority, and the losing view stays with its confidence", async () => {
  const context = contradicting("resource");
  const { settlements, report } = await run({ ...task, context });
  expect(settlements).toMatchObject([
    { by: "priority", winner: { agent: "two", recommendation: "hire people" }, losers: [{ agent: "one", confidence: 0.9 }] },
  ]);
  expect(report.disagreements).toMatchObject([{ recommendation: "hire people", against: [{ agent: "one", confidence: 0.9 }] }]);
  const equal = contradicting("resource").roster.map((agent) => ({ ...agent, weight: 1 }));
  expect((await run({ ...task, context: { roster: equal } })).settlements).toMatchObject([{ by: "confidence", winner: { agent: "one" } }]);
});

test("a contradiction about a strategy goes to a person, unless the caller is unattended", async () => {
  const context = contradicting("strategy");
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run({ ...task, context }, threadId);
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({
    prompt: expect.stringContaining("budget"),
    options: ["buy servers", "hire people"],
  });
  const { settlements } = await run({ command: { resume: "hire people" }, context }, threadId);
  expect(settlements).toMatchObject([{ by: "human", winner: { agent: "two" }, losers: [{ agent: "one", confidence: 0.9 }] }]);

  const unattended = { ...contradicting("strategy"), onFailures: "partial" };
  expect((await run({ ...task, context: unattended })).settlements).toMatchObject([{ by: "confidence", winner: { agent: "one" } }]);
});

test("a contradiction about a fact is settled as the context says, and nobody is asked", async () => {
  const context = contradicting("fact");
  expect((await run({ ...task, context })).settlements).toMatchObject([{ by: "confidence", winner: { agent: "one" } }]);
});

test("a person can settle them", async () => {
  script.plans = [[step("a", "security"), step("b", "quality")]];
  script.work = { a: [work(finding("x", "keep"))], b: [work(finding("x", "drop"))] };
  const { thread_id: threadId } = await client.threads.create();
  const context = { conflicts: "human" };
  const asked = await run({ ...task, context }, threadId);
  expect(asked.__interrupt__?.[0]?.value.options).toEqual(["keep", "drop"]);
  const { settlements } = await run({ command: { resume: "drop" }, context }, threadId);
  expect(settlements).toMatchObject([
    { by: "human", winner: { recommendation: "drop", agent: "quality" }, losers: [{ agent: "security" }] },
  ]);
});

test("when nobody answers in time, what there is is accepted, and the surer view holds", async () => {
  script.plans = [[step("a", "security"), step("b", "quality"), ...["x", "y", "z"].map((id) => step(id, "security"))]];
  const broken = [{ status: 400 }];
  script.work = { a: [work(finding("x", "keep", 0.6))], b: [work(finding("x", "drop", 0.9))], x: broken, y: broken, z: broken };
  const { thread_id: threadId } = await client.threads.create();
  await run({ ...task, context: { conflicts: "human", askTimeoutSeconds: 0.1 } }, threadId);
  await until(async () => (await client.threads.get(threadId)).status === "idle");
  const { values } = await client.threads.getState<Supervised>(threadId);
  expect(values.settlements).toMatchObject([{ by: "confidence", winner: { recommendation: "drop" }, losers: [{ agent: "security" }] }]);
  expect(values.report.gaps).toHaveLength(3);
  expect(await client.runs.list(threadId)).toHaveLength(3); // the task, and a time-out each for the failures and the contradiction
});

test("agents that begin together start one after the other, and no more work at once than may", async () => {
  script.plans = [["a", "b", "c", "d", "e"].map((id) => step(id, "security"))];
  const { ledger } = await run({ ...task, context: { limits: { parallel: 3, stageMs: 150 } } });
  const starts = (of: string) =>
    ledger
      .filter(({ agent }) => agent === of)
      .map(({ at }) => Date.parse(at))
      .toSorted((x, y) => x - y);
  const [planned = 0] = starts("supervisor");
  const [, , thirdOfFirstWave = 0] = starts("security");
  const since = [planned, planned, planned, thirdOfFirstWave, thirdOfFirstWave];
  const waited = starts("security").map((at, index) => at - (since[index] ?? 0));
  // a timer may fire early
  for (const [index, stage] of [0, 1, 2, 0, 1].entries()) expect(waited[index]).toBeGreaterThanOrEqual(stage * 150 - 5);
  expect(ledger.filter(({ agent }) => agent === "supervisor")).toHaveLength(3); // a plan, a review, a report
});

test("a budget that is used up ends the run before more work is begun, and the state says what was spent", async () => {
  script.plans = [[step("a", "security"), step("b", "quality", "a")]];
  const { thread_id: threadId } = await client.threads.create();
  await expect(run({ ...task, context: { budget: { tokens: 3 } } }, threadId)).rejects.toThrow("BudgetExceededError: The run has used");
  const { values } = await client.threads.getState<Supervised>(threadId);
  expect(Object.keys(values.results)).toEqual(["a"]);
  expect(values.ledger.map(({ agent }) => agent)).toEqual(["supervisor", "security"]);
  expect(promptsFor("b")).toEqual([]);
});

test("failed steps that a person sends out again all go, though there is room for one at a time", async () => {
  const ids = ["a", "b", "c"];
  script.plans = [ids.map((id) => step(id, "security"))];
  script.work = Object.fromEntries(ids.map((id) => [id, [{ status: 400 }, work()]]));
  const context = { limits: { parallel: 1 } };
  const { thread_id: threadId } = await client.threads.create();
  expect((await run({ ...task, context }, threadId)).__interrupt__?.[0]?.value.prompt).toContain("0 of 3 done");
  const { results } = await run({ command: { resume: "retry" }, context }, threadId);
  expect(ids.map((id) => results[id]?.status)).toEqual(["success", "success", "success"]);
});

test("a long chain of steps, each on the one before, comes to its end", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  script.plans = [names.map((name, n) => step(name, "security", ...names.slice(n - 1, n)))];
  const { results, report, ledger } = await run(task);
  expect(Object.values(results).map(({ status }) => status)).toEqual(names.map(() => "success"));
  expect(report.executiveSummary).toBe("All seen.");
  expect(ledger.filter(({ agent }) => agent === "supervisor")).toHaveLength(3); // a plan, a review of the whole, the report
  expect(model.requests).toHaveLength(11);
});

const alone = (retries = 0) => [{ name: "one", role: "a reviewer", retries }];

test("a failed step is tried again up to twice with its error, and the judge is not asked", async () => {
  script.plans = [[step("a", "one")]];
  script.work = { a: [{ hang: true }, { json: { wrong: 1 } }, work()] };
  const [one] = alone();
  const { results, ledger } = await run({ ...task, context: { roster: [{ ...one, timeoutSeconds: 0.5 }] } });
  expect(results.a).toMatchObject({ status: "success", tries: 3 });
  expect(promptsFor("a")[0]).not.toContain("An earlier try failed");
  expect(promptsFor("a")[1]).toContain("An earlier try failed: No answer within 0.5 s.");
  expect(promptsFor("a")[2]).toContain("It does not fit the schema");
  expect(ledger.map(({ agent, outcome }) => `${agent} ${outcome}`)).toEqual([
    "supervisor success",
    "one timeout",
    "one failed",
    "one success",
    "supervisor success", // the review of the whole work
    "supervisor success",
  ]);
});

test.each([400, 401, 403])("a step that was refused with %i is not tried again by the same agent", async (status) => {
  script.plans = [[step("a", "one"), step("b", "two")]];
  script.work = { a: [{ status }] };
  const roster = [...alone(2), { name: "two", role: "another" }];
  const { results, reviews } = await run({ ...task, context: { roster } });
  expect(results.a).toMatchObject({ status: "failed", tries: 1 });
  expect(promptsFor("a")).toHaveLength(1);
  expect(reviews).toHaveLength(1); // the review saw both the failure and the end of the work
});

test("the judge may reassign a failed step once, and the other agent begins anew", async () => {
  script.plans = [[step("a", "one"), step("b", "two")]];
  script.work = { a: [{ json: { wrong: 1 } }] };
  script.reviews = [{ json: { decision: "continue", reason: "again", reassign: [{ id: "a", agent: "two" }] } }];
  const roster = [...alone(), { name: "two", role: "another", retries: 0 }];
  const { results, reviews } = await run({ ...task, context: { roster } });
  expect(results.a).toMatchObject({ status: "failed", tries: 6 });
  expect(reviews.map(({ reassigned }) => reassigned)).toEqual([["a"], []]);
});

test("a person can adjust the failed steps with new instructions", async () => {
  script.plans = [[step("a", "security"), step("b", "security")]];
  script.work = { a: [{ status: 400 }, work()] };
  const context = { limits: { failures: 1 } };
  const { thread_id: threadId } = await client.threads.create();
  await run({ ...task, context }, threadId);
  const asked = await run({ command: { resume: "adjust" }, context }, threadId);
  expect(asked.__interrupt__?.[0]?.value).toMatchObject({ type: "input", prompt: "What should be done differently?" });
  const { results } = await run({ command: { resume: "Use the staging server." }, context }, threadId);
  expect(results).toMatchObject({ a: { status: "success", tries: 1 }, b: { status: "success" } });
  expect(promptsFor("a")[1]).toContain("A person adds: Use the staging server.");
  expect(promptsFor("b")).toHaveLength(1);
});

test("steps that cannot be added are named with the reason, and the others are added", async () => {
  script.plans = [[step("a", "security")]];
  const add = [step("b", "nobody"), step("c", "security", "b"), step("d", "security", "a")];
  script.reviews = [{ json: { decision: "continue", reason: "more", add } }, goOn];
  const { results, reviews, report } = await run(task);
  expect(Object.keys(results)).toEqual(["a", "d"]);
  expect(reviews[0]).toMatchObject({
    added: ["d"],
    refused: [expect.stringContaining("nobody"), expect.stringContaining('"b", which is no step')],
  });
  expect(report.gaps).toEqual([expect.stringMatching(/^not added: b \(do b\): /), expect.stringMatching(/^not added: c /)]);
});

test("a step sees the input beside the results that it depends on only if it needs it", async () => {
  const needy = { ...step("c", "security", "a"), needsInput: true };
  script.plans = [[step("a", "security"), step("b", "security", "a"), needy]];
  await run({ input: { task: "Review", input: "the source code" } });
  expect(promptsFor("a")[0]).toContain("the source code");
  expect(promptsFor("b")[0]).not.toContain("the source code");
  expect(promptsFor("c")[0]).toContain("the source code");
  expect(promptsFor("c")[0]).toContain("seen");
});

test("findings on one subject in other words are found by the judge, and an agent does not contradict itself", async () => {
  script.plans = [[step("a", "one"), step("b", "two"), step("c", "one")]];
  script.work = {
    a: [work(finding("the database", "scale out", 0.9), finding("login", "hash passwords", 0.7))],
    b: [work(finding("Postgres", "add an index", 0.6), finding("passwords", "hash them", 0.8))],
    c: [work(finding("cache", "keep", 0.5), finding("cache", "drop", 0.4))],
  };
  const groups = [
    { subject: "database", relation: "contradicts", findings: [0, 2] },
    { subject: "passwords", relation: "same", findings: [1, 3] },
    { subject: "cache", relation: "contradicts", findings: [4, 5] },
  ];
  script.groups = [{ json: { groups } }];
  const roster = [...alone(), { name: "two", role: "another" }];
  const { settlements, report } = await run({ ...task, context: { roster } });
  expect(settlements).toMatchObject([{ subject: "database", winner: { agent: "one" }, losers: [{ agent: "two", confidence: 0.6 }] }]);
  expect(report).toMatchObject({
    consensus: [{ subject: "passwords", recommendation: "hash them", agents: ["one", "two"] }],
    disagreements: [
      { subject: "database", recommendation: "scale out", against: [{ agent: "two", recommendation: "add an index", confidence: 0.6 }] },
    ],
    recommendations: ["scale out", "hash them", "keep", "drop"], // "hash passwords" means the same
    confidence: 0.66,
  });
  expect(report.findingsByCategory.c).toEqual(["the database: s", "Postgres: s", "passwords: s", "cache: s"]);
  const reporting = JSON.stringify(model.requests.at(-1)?.messages);
  expect(reporting).toContain("hash them");
  expect(reporting).not.toContain("hash passwords");
});

test("findings that nobody can group are compared by their words", async () => {
  script.plans = [[step("a", "security"), step("b", "quality")]];
  script.work = { a: [work(finding("x", "keep", 0.9), finding("y", "z"))], b: [work(finding("X", "drop"))] };
  script.groups = [{ status: 400 }];
  const { settlements, ledger } = await run(task);
  expect(settlements).toMatchObject([{ winner: { recommendation: "keep" } }]);
  expect(ledger.filter(({ outcome }) => outcome === "failed")).toMatchObject([{ agent: "supervisor" }]);
});

test("an even vote is decided by the judge", async () => {
  script.plans = [["a", "b", "c", "d"].map((id) => step(id, id))];
  script.work = { a: [work(finding("x", "keep"))] };
  for (const id of ["b", "c", "d"]) script.work[id] = [work(finding("x", "drop"))];
  script.others = [{ json: { winner: "keep", reason: "safer", confidence: 0.7 } }];
  const roster = ["a", "b", "c", "d"].map((name) => ({ name, role: "a reviewer" }));
  const { settlements } = await run({ ...task, context: { roster, conflicts: "vote" } });
  expect(settlements).toMatchObject([
    { by: "arbitration", winner: { agent: "a" }, losers: [{}, {}, {}], confidence: 0.7, reason: "safer" },
  ]);
});
