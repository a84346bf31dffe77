import { beforeEach, expect, test } from "vitest";
import { until } from "../command.ts";
import type { ScriptedReply } from "../scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Supervised {
  steps: { id: string; agent: string }[];
  results: Record<string, { status: string; tries: number; error: string | null }>;
  settlements: { by: string; winner: { agent: string; recommendation: string }; losers: { agent: string }[] }[];
  report: { executiveSummary: string; gaps: string[] };
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
const report = { json: { executiveSummary: "All seen.", findingsByCategory: {}, recommendations: [], confidence: 0.9, gaps: [] } };
const goOn = { json: { decision: "continue", reason: "fine" } };

let script: { plans: object[][]; work: Record<string, ScriptedReply[]>; reviews: ScriptedReply[]; others: ScriptedReply[] };
/**
 * Returns the next scripted reply. The last reply of a list is repeated. Replies are listed by the step's task, or by the words of a
 * judge's question.
 */
const next = (replies: ScriptedReply[]) => (replies.length > 1 ? replies.shift() : replies[0]) ?? goOn;

beforeEach(() => {
  script = { plans: [], work: {}, reviews: [goOn], others: [] };
  model.respond((messages) => {
    if (messages.includes("Split this task")) return { json: { steps: script.plans.length > 1 ? script.plans.shift() : script.plans[0] } };
    if (messages.includes("Review the work")) return next(script.reviews);
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
  expect(ledger).toHaveLength(7); // a plan, three steps, two reviews, a report
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
  script.reviews = [{ json: { decision: "continue", reason: "again", retry: [{ id: "bad", agent: "performance" }] } }, goOn];
  const { results, steps, report } = await run(task);
  expect(results.good?.status).toBe("success");
  expect(results.bad).toMatchObject({ status: "failed", tries: 2 });
  expect(steps.find(({ id }) => id === "bad")?.agent).toBe("performance");
  expect(results.after).toMatchObject({ status: "skipped", work: null });
  expect(report.gaps).toEqual([expect.stringMatching(/^bad \(do bad\): /), "after (do after): not done"]);
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
    options: ["retry", "accept"],
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
  const [planned = 0, reviewed = 0] = starts("supervisor");
  const since = [planned, planned, planned, reviewed, reviewed];
  const waited = starts("security").map((at, index) => at - (since[index] ?? 0));
  for (const [index, stage] of [0, 1, 2, 0, 1].entries()) expect(waited[index]).toBeGreaterThanOrEqual(stage * 150 - 5); // a timer may be early
  expect(ledger.filter(({ agent }) => agent === "supervisor")).toHaveLength(4); // a plan, two reviews of two waves, a report
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
  const { results, report } = await run(task);
  expect(Object.values(results).map(({ status }) => status)).toEqual(names.map(() => "success"));
  expect(report.executiveSummary).toBe("All seen.");
});
