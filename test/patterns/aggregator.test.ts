import { beforeEach, expect, test } from "vitest";
import { LabelledResult } from "../../graphs/aggregator/labelled-result.ts";
import { findPatterns } from "../../graphs/aggregator/outcome-patterns.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script({ json: synthesis() }));

interface Measure {
  name: string;
  value: number | null;
  verdict: string;
}

interface Report {
  comparison: {
    rows: { label: string; msPerItem: number | null; rank: number | null; computeDollars: number | null }[];
    scaling: { class: string; ratio: number; from: string; to: string } | null;
    measures: Measure[];
    performance: { totalMs: number | null; criticalPathMs: number | null; parallelEfficiency: number | null };
    cost: {
      tokens: number | null;
      computeSeconds: number | null;
      dollars: number | null;
      computeDollars: number | null;
      dollarsPerQualityPoint: number | null;
    };
    note: string | null;
    growth: { label: string; measured: number | null; expected: number; verdict: string }[];
  };
  consensus: { subject: string; says: string; labels: string[] }[];
  disagreements: { subject: string; views: { says: string; labels: string[] }[] }[];
  patterns: { held: string[]; failures: { shared: string; value: string; labels: string[]; succeeded: string[] }[] };
  recommendation: {
    label: string | null;
    confidence: number;
    reasons: string[];
    itemsPerRequest: number | null;
    expectedSeconds: number | null;
    concurrency: number | null;
    actions: { priority: number; action: string }[];
  } | null;
  synthesis: { executiveSummary: string; gaps: string[]; deliverable: string | null } | null;
  gaps: string[];
}

function synthesis(gaps: string[] = []) {
  return { executiveSummary: "Both agree.", findingsByCategory: { speed: ["fast"] }, recommendations: ["ship"], confidence: 0.8, gaps };
}

const wait = (input: object, context = {}, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "aggregator", { input, context } as object) as Promise<unknown> as Promise<{
    report: Report;
    messages: { type: string; content: string }[];
    ledger: { agent: string }[];
  }>;
const run = async (input: object, context = {}) => (await wait(input, context)).report;

/** Returns three results of one skill. `changes` overrides fields by label. */
const loads = (changes: Record<string, object> = {}) =>
  [
    { label: "simple", items: 100, elapsedMs: 1_000, quality: 0.92, failedItems: 0, traits: { batchSize: "10", distribution: "uniform" } },
    { label: "medium", items: 300, elapsedMs: 3_000, quality: 0.9, failedItems: 0, traits: { batchSize: "50", distribution: "uniform" } },
    { label: "complex", items: 800, elapsedMs: 8_000, quality: 0.88, failedItems: 0, traits: { batchSize: "100", distribution: "skewed" } },
  ].map((result) => ({ ...result, ...changes[result.label] }));

const verdicts = (measures: Measure[]) => Object.fromEntries(measures.map(({ name, verdict }) => [name, verdict]));

test("loads that scale linearly are ranked, found steady, and the largest is recommended", async () => {
  const { comparison, recommendation, gaps } = await run({ results: loads() });
  expect(comparison.rows.map(({ label, msPerItem, rank }) => [label, msPerItem, rank])).toEqual([
    ["simple", 10, 1],
    ["medium", 10, 2],
    ["complex", 10, 3],
  ]);
  expect(comparison.scaling).toEqual({ class: "linear", ratio: 1, from: "simple", to: "complex" });
  expect(new Set(Object.values(verdicts(comparison.measures)))).toEqual(new Set(["good"]));
  expect(comparison.measures.find(({ name }) => name === "quality deviation")?.value).toBeCloseTo(0.02, 5);
  expect(comparison.performance).toEqual({ totalMs: 12_000, criticalPathMs: 8_000, parallelEfficiency: 1.5 });
  expect(comparison.note).toBeNull();
  expect(recommendation).toMatchObject({ label: "complex", itemsPerRequest: 100, expectedSeconds: 1, concurrency: 1, actions: [] });
  expect(gaps).toEqual([]);
});

test.each([
  ["sublinear", 799],
  ["linear", 800],
  ["linear", 1_200],
  ["mildly superlinear", 1_201],
  ["mildly superlinear", 2_000],
  ["superlinear", 2_001],
])("time per item that grows as in a %s algorithm is called so (%i)", async (name, elapsedMs) => {
  const results = [
    { label: "one", items: 1, elapsedMs: 1_000 },
    { label: "ten", items: 10, elapsedMs: elapsedMs * 10 },
  ];
  const { comparison, patterns, recommendation } = await run({ results, strategies: ["compare", "compare"] });
  expect(comparison.scaling).toMatchObject({ class: name, from: "one", to: "ten" });
  expect([patterns, recommendation]).toEqual([null, null]);
});

test("what grows faster than the load and loses quality is not recommended, and the actions say why", async () => {
  const results = loads({ complex: { elapsedMs: 25_700, quality: 0.5, failedItems: 80 } });
  const { comparison, recommendation } = await run({ results });
  expect(comparison.scaling?.class).toBe("superlinear");
  expect(new Set(Object.values(verdicts(comparison.measures)))).toEqual(new Set(["poor"]));
  expect(recommendation).toMatchObject({ label: "medium", itemsPerRequest: 50, expectedSeconds: 0.5, concurrency: 3 });
  expect(recommendation?.reasons).toEqual([
    "medium: the largest load (300 items) that keeps quality, speed and error rate within the thresholds.",
    "Not simple: it shows less load.",
    "Not complex: 9 % of its items fail; its quality is 54 % of simple's; it does 31 % of simple's work a second.",
  ]);
  expect(recommendation?.actions.map(({ priority }) => priority)).toEqual([1, 2, 3, 4]);
  expect(recommendation?.actions[1]?.action).toContain("3.2 times as long in complex as in simple");
});

test("thresholds are the assistant's to set", async () => {
  const results = loads({ complex: { quality: 0.7 } });
  const strict = await run({ results }, { thresholds: { qualityScaling: 0.8 } });
  const easy = await run({ results }, { thresholds: { qualityScaling: 0.7 } });
  expect([strict.recommendation?.label, easy.recommendation?.label]).toEqual(["medium", "complex"]);
  await expect(run({ results }, { thresholds: { qualityScaling: "high" } })).rejects.toThrow("qualityScaling");
});

test("time at work counts for the scaling where it was measured, the time it took for the path", async () => {
  const results = loads({ simple: { workMs: 500, elapsedMs: 9_000 }, complex: { workMs: 4_000, elapsedMs: 9_000 } });
  const { comparison } = await run({ results });
  expect(comparison.scaling).toMatchObject({ class: "linear", ratio: 1 });
  expect(comparison.performance).toMatchObject({ totalMs: 21_000, criticalPathMs: 9_000 });
  expect(comparison.cost.computeSeconds).toBe(7.5);
});

test("one failed result is a gap, is not ranked, and its like is looked for among the others", async () => {
  const results = loads({
    complex: {
      status: "failed",
      errors: [
        { type: "OutOfMemory", message: "heap" },
        { type: "OutOfMemory", message: "heap" },
      ],
      dollars: 1,
    },
    simple: { dollars: 0.5, metrics: { p95: 120 } },
    medium: { dollars: 0.32, metrics: { p95: 185 } },
  });
  const { comparison, patterns, recommendation, gaps } = await run({ results, expected: ["simple", "huge"] });
  expect(comparison.rows.map(({ rank }) => rank)).toEqual([1, 2, null]);
  expect(comparison.scaling).toMatchObject({ from: "simple", to: "medium" });
  expect(comparison.cost.dollarsPerQualityPoint).toBeCloseTo(1);
  expect(patterns.held).toEqual([
    "No item failed.",
    "No error occurred.",
    "Quality stayed between 0.9 (medium) and 0.92 (simple).",
    "p95 stayed between 120 (simple) and 185 (medium).",
    "distribution was uniform.",
  ]);
  expect(patterns.failures).toEqual([
    { shared: "error type", value: "OutOfMemory", labels: ["complex"], succeeded: [] },
    { shared: "batchSize", value: "100", labels: ["complex"], succeeded: [] },
    { shared: "distribution", value: "skewed", labels: ["complex"], succeeded: [] },
  ]);
  expect(recommendation).toMatchObject({ label: "medium", concurrency: 3 });
  expect(recommendation?.actions[0]).toEqual({ priority: 1, action: "Find out why complex failed (OutOfMemory)." });
  expect(gaps).toEqual(["complex: failed (OutOfMemory: heap, and 1 more)", "huge: missing"]);
});

test("what failures share with each other comes before what they share with successes", async () => {
  const traits = { distribution: "skewed", host: "a" };
  const results = [
    { label: "a", status: "timeout", traits },
    { label: "b", status: "failed", errors: [{ type: "Refused", message: "no" }], traits },
    { label: "c", traits: { distribution: "uniform", host: "a" } },
  ];
  const { patterns, comparison } = await run({ results });
  expect(patterns.failures.map(({ shared, value, labels, succeeded }) => [shared, value, labels.join(), succeeded.join()])).toEqual([
    ["distribution", "skewed", "a,b", ""],
    ["error type", "timeout", "a", ""],
    ["host", "a", "a,b", "c"],
    ["error type", "Refused", "b", ""],
  ]);
  expect(comparison.note).toBe('Comparison is not possible: only "c" succeeded.');
});

test("when all failed, nothing is recommended and every one is named", async () => {
  const failure = { status: "failed", errors: [{ type: "Refused", message: "no" }], items: 0 };
  const results = loads({ simple: failure, medium: failure, complex: { status: "skipped" } });
  const { comparison, patterns, recommendation, gaps } = await run({ results });
  expect(comparison.note).toBe("Comparison is not possible: nothing succeeded.");
  expect(new Set(Object.values(verdicts(comparison.measures)))).toEqual(new Set(["unknown"]));
  expect(patterns).toMatchObject({ held: [], failures: [{ value: "Refused", labels: ["simple", "medium"] }, {}, {}, {}] });
  expect(recommendation).toBeNull();
  expect(gaps).toEqual(["simple: failed (Refused: no)", "medium: failed (Refused: no)", "complex: skipped"]);
});

test("one result alone is told that comparison is not possible, and is recommended for want of others", async () => {
  const { comparison, patterns, recommendation } = await run({ results: [{ label: "only", items: 10, elapsedMs: 100, quality: 1 }] });
  expect(comparison).toMatchObject({ rows: [{ label: "only", msPerItem: 10, rank: 1 }], scaling: null });
  expect(comparison.note).toBe('Comparison is not possible: "only" is the only result.');
  expect(patterns).toEqual({ held: [], failures: [] });
  expect(recommendation).toMatchObject({
    label: "only",
    reasons: ["only: it is the only one that succeeded; there is nothing to compare it with."],
    itemsPerRequest: 10,
    expectedSeconds: 0.1,
    actions: [],
  });
});

test("no items, no time and no quality make figures unknown, never a division by zero", async () => {
  const results = [
    { label: "none", items: 0, elapsedMs: 0, quality: 0, failedItems: 0, dollars: 0 },
    { label: "instant", items: 10, elapsedMs: 0, quality: 0, failedItems: 10 },
    { label: "unmeasured" },
    { label: "large", items: 20, elapsedMs: 100, quality: 0 },
  ];
  const { comparison, recommendation } = await run({ results });
  expect(comparison.rows.map(({ msPerItem }) => msPerItem)).toEqual([null, 0, null, 5]);
  expect(comparison.scaling).toBeNull();
  expect(comparison.note).toContain("No scaling");
  expect(verdicts(comparison.measures)).toMatchObject({
    "quality scaling": "unknown",
    "time efficiency": "unknown",
    "error spread": "unknown",
  });
  expect(comparison.cost).toMatchObject({ tokens: null, computeSeconds: 0.1, dollars: 0, dollarsPerQualityPoint: null });
  expect(recommendation).toMatchObject({ label: "large", concurrency: 1 });
  expect(recommendation?.actions.at(-1)?.action).toContain("quality scaling");
});

test("results without sizes are ranked by quality, and the best is recommended", async () => {
  const results = [
    { label: "security", quality: 0.7 },
    { label: "performance", quality: 0.9 },
  ];
  const { recommendation } = await run({ results });
  expect(recommendation).toMatchObject({
    label: "performance",
    reasons: ["performance: it ranks first."],
    itemsPerRequest: null,
    concurrency: null,
  });
});

test("texts are brought together by the model, and what failed stays a gap", async () => {
  model.script({ json: synthesis(["No costs."]) });
  const results = [
    { label: "security", text: "Hash the passwords." },
    { label: "quality", status: "failed", errors: [{ type: "Timeout", message: "30 s" }] },
  ];
  const { report, ledger } = await wait({ results, strategies: ["synthesize"], task: "the login" });
  expect(report).toMatchObject({ comparison: null, patterns: null, recommendation: null, synthesis: { executiveSummary: "Both agree." } });
  expect(report.gaps).toEqual(["quality: failed (Timeout: 30 s)", "No costs."]);
  expect(ledger).toMatchObject([{ agent: "editor", outcome: "success" }]);
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("Write the report on the login");
  expect(JSON.stringify(model.requests[0]?.messages)).toContain("Hash the passwords.");
});

test("a model that fails ends a synthesis with a clear error; without texts it is not asked", async () => {
  model.script({ status: 401 });
  await expect(run({ results: [{ label: "a", text: "A" }], strategies: ["synthesize"] })).rejects.toThrow("The editor failed");
  model.script({ status: 401 });
  const report = await run({ results: loads(), strategies: ["compare", "synthesize"] });
  expect(report).toMatchObject({
    synthesis: null,
    gaps: ["synthesis: no result has a text"],
    comparison: { scaling: { class: "linear" } },
  });
  expect(model.requests).toHaveLength(0);
});

test.each([
  ["equal labels", { results: [{ label: "a" }, { label: "a " }] }, 'there is another result labelled \\"a\\"'],
  ["a label that is missing", { results: [{ items: 1 }] }, "label"],
  ["a strategy that does not exist", { results: [{ label: "a" }], strategies: ["guess"] }, "strategies"],
  ["no strategy", { results: [{ label: "a" }], strategies: [] }, "strategies"],
  ["a quality above one", { results: [{ label: "a", quality: 90 }] }, "quality"],
  ["half an item", { results: [{ label: "a", items: 0.5 }] }, "items"],
])("%s: the run ends with an error that names it", async (_what, input, message) => {
  await expect(run(input)).rejects.toThrow(message);
});

test("a later run of the same thread reports on what it was given, and on nothing from before", async () => {
  const { thread_id } = await client.threads.create();
  await wait({ results: loads(), expected: ["huge"] }, {}, thread_id);
  const { report } = await wait({ results: [{ label: "new" }], strategies: ["patterns"] }, {}, thread_id);
  const none = { comparison: null, recommendation: null, synthesis: null, consensus: [], disagreements: [], gaps: [] };
  expect(report).toEqual({ ...none, patterns: { held: [], failures: [] } });
});

test("strategies work side by side and the report is told of", async () => {
  const input = { results: loads() };
  const events = await collect(client.runs.stream(null, "aggregator", { input, streamMode: ["custom", "updates"] }));
  const updates = events.filter(({ event }) => event === "updates").map(({ data }) => Object.keys(data as object)[0]);
  expect(updates.slice(1, 4).toSorted()).toEqual(["compare", "findPatterns", "recommend"]);
  expect(updates.toSpliced(1, 3)).toEqual(["begin", "conclude"]);
  expect(events.find(({ event }) => event === "custom")?.data).toMatchObject({
    pattern: "aggregator",
    type: "report",
    results: 3,
    gaps: 0,
  });
});

test("what a thousand failures of many kinds share is found in one pass", () => {
  const errors = (name: string) => Array.from({ length: 30 }, (_, n) => ({ type: `${name}-${n}`, message: "" }));
  const failures = Array.from({ length: 1_000 }, (_, n) =>
    LabelledResult.parse({
      label: `r${n}`,
      status: "failed",
      errors: [...errors(`r${n}`), ...errors("all").slice(0, 1), ...errors("all")],
    }),
  );
  const fine = LabelledResult.parse({ label: "fine", errors: errors("all").slice(0, 1) });
  const { failures: shared } = findPatterns([...failures, fine]);
  expect(shared).toHaveLength(30 * 1_001);
  expect(shared[0]).toMatchObject({ shared: "error type", value: "all-1", labels: { length: 1_000 }, succeeded: [] });
  expect(shared[29]).toMatchObject({ value: "all-0", labels: { length: 1_000 }, succeeded: ["fine"] });
});

test("with nothing but a task the report says that there is nothing to compare", async () => {
  expect(await run({ task: "Which one?" })).toMatchObject({
    comparison: { rows: [], scaling: null, note: "Comparison is not possible: there are no results." },
    recommendation: null,
    gaps: ["no results were given"],
  });
});

test("loads that fail equally often are not found steady, and none of them is recommended", async () => {
  const failing = { failedItems: 600 };
  const { comparison, recommendation } = await run({
    results: loads({ simple: failing, medium: failing, complex: { failedItems: 4_800 } }),
  });
  expect(verdicts(comparison.measures)).toMatchObject({ "error rate": "poor" });
  expect(recommendation).toMatchObject({ label: null, concurrency: null });
  expect(recommendation?.reasons[0]).toBe("Not simple: 86 % of its items fail.");
});

test("what falls short of its expected quality is not recommended, however well it compares", async () => {
  const expected = (expectedQuality: number) => ({ expectedQuality });
  const some = await run({ results: loads({ simple: expected(0.6), medium: expected(0.8), complex: expected(0.9) }) });
  expect(some.recommendation).toMatchObject({ label: "medium", confidence: 0.75 });
  expect(some.recommendation?.reasons).toContain("Not complex: its quality 0.88 is below the expected 0.9.");
  const none = await run({ results: loads({ simple: expected(0.95), medium: expected(0.95), complex: expected(0.95) }) });
  expect(none.recommendation).toMatchObject({ label: null });
  const alone = await run({ results: [{ label: "only", quality: 0.5, expectedQuality: 0.8 }] });
  expect(alone.recommendation).toMatchObject({ label: null, reasons: ["Not only: its quality 0.5 is below the expected 0.8."] });
});

test("growth is judged against what was expected, for the medium load too, and by the work in an item", async () => {
  const results = loads({
    medium: { workPerItem: 2, expectedTime: 3, elapsedMs: 18_000 }, // 60 ms per item, 30 ms per unit
    complex: { expectedTime: 8, elapsedMs: 160_000 },
  });
  const { comparison } = await run({ results });
  expect(comparison.growth).toMatchObject([
    { label: "medium", measured: 3, expected: 3, verdict: "as expected" },
    { label: "complex", measured: 20, expected: 8, verdict: "slower" },
  ]);
  const patient = await run({ results }, { thresholds: { growthFactor: 3 } });
  expect(patient.comparison.growth[1]?.verdict).toBe("as expected");
});

test("work is priced at the context's rate, for each result and all together", async () => {
  const { comparison } = await run({ results: loads({ simple: { elapsedMs: 3_600_000 } }) }, { computeDollarsPerHour: 2 });
  expect(comparison.rows[0]).toMatchObject({ label: "simple", computeDollars: 2 });
  expect(comparison.cost.computeDollars).toBeCloseTo(2.006, 3);
});

test("consensus and disagreements are read from findings and metrics, without a model", async () => {
  const finding = (subject: string, says: string) => ({ subject, says });
  const results = [
    { label: "a", findings: [finding("Cache", "Use one"), finding("Retries", "three")], metrics: { p95: 100, errors: 1 } },
    { label: "b", findings: [finding("cache", "use  one"), finding("Retries", "none")], metrics: { p95: 104, errors: 9 } },
    { label: "c", findings: [finding("Logs", "more"), finding("Logs", "fewer")] },
  ];
  const { consensus, disagreements } = await run({ results, strategies: ["patterns"] });
  expect(consensus).toEqual([
    { subject: "Cache", says: "Use one", labels: ["a", "b"] },
    { subject: "p95", says: "about 102", labels: ["a", "b"] },
  ]);
  expect(disagreements.map(({ subject }) => subject)).toEqual(["Retries", "errors"]); // c does not contradict itself
  expect(model.requests).toHaveLength(0);
});

test("what a model names as agreed counts only with labels that exist", async () => {
  const consensus = [
    { subject: "Speed", says: "fast", labels: ["a", "b"] },
    { subject: "Cost", says: "low", labels: ["a", "nobody"] },
  ];
  const disagreements = [{ subject: "Style", views: [{ says: "plain", labels: ["a"] }, { says: "rich", labels: ["b"] }] }]; // biome-ignore format: one line
  model.script({ json: { ...synthesis(), recommendations: [{ action: "ship", confidence: 0.7 }], consensus, disagreements } });
  const results = ["a", "b"].map((label) => ({ label, text: `${label} is fast` }));
  const { report, messages } = await wait({ results, strategies: ["synthesize"], task: "the cars" });
  expect(report).toMatchObject({ consensus: [{ subject: "Speed" }], disagreements: [{ subject: "Style" }] });
  expect(report.consensus).toHaveLength(1);
  expect(report.synthesis).toMatchObject({ recommendations: [{ action: "ship", confidence: 0.7 }] });
  expect(messages.map(({ type, content }) => [type, content])).toEqual([
    ["human", "the cars"],
    ["ai", "Both agree."],
  ]);
});

test("a deliverable is written from the results, streamed and kept in the report", async () => {
  model.respond((prompt) => (prompt.includes("Write a short guide on the cars") ? { tokens: ["# Gui", "de"] } : { json: synthesis() }));
  const input = {
    results: [{ label: "a", text: "A is fast" }],
    strategies: ["synthesize"],
    deliverable: "a short guide",
    messages: [{ role: "user", content: "the cars" }],
  };
  const events = await collect(client.runs.stream(null, "aggregator", { input, streamMode: ["values", "messages-tuple"] }));
  const spoken = events.filter(({ event }) => event === "messages").map(({ data }) => (data as [{ content: string }])[0].content);
  expect(spoken.join("")).toContain("# Guide");
  expect(spoken.join("")).not.toContain("executiveSummary");
  const last = events.findLast(({ event }) => event === "values")?.data as { report: Report; messages: { content: string }[] };
  expect(last.report.synthesis?.deliverable).toBe("# Guide");
  expect(last.messages.map(({ content }) => content)).toEqual(["the cars", "# Guide"]);
});

test("unknown keys are refused with a hint, in the input, in a result and in the context", async () => {
  await expect(run({ result: [] })).rejects.toThrow('did you mean \\"results\\"?');
  await expect(run({ results: [{ label: "a", item: 1 }] })).rejects.toThrow('did you mean \\"items\\"?');
  await expect(run({}, { treshold: {} })).rejects.toThrow("thresholds");
});
