import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { defineSkill, scenario, setProjectSkills } from "../../graphs/index.ts";
import type { ScenarioProgress } from "../../graphs/scenario/progress.ts";
import { skillsWith } from "../../graphs/skills/registry.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Compared {
  definitions: { name: string; timeBudgetSeconds: number }[];
  estimate: { tokens: number; dollars: number | null; computeDollars: number; scenarios: { scenario: string; tokens: number }[] };
  progress: Record<string, ScenarioProgress>;
  messages: { type: string; content: string }[];
  report: {
    comparison: {
      rows: { label: string; status: string; tokens: number | null; dollars: number | null; computeDollars: number | null }[];
      growth: { label: string; expected: number; measured: number | null; verdict: string }[];
    };
    recommendation: { label: string | null; reasons: string[] } | null;
    gaps: string[];
  };
  ledger: { agent: string }[];
  __error__?: { error: string; message: string };
}

const run = (input: Record<string, unknown>, context?: Record<string, unknown>, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "scenario", {
    input,
    ...(context && { context }),
    raiseError: false,
  }) as Promise<unknown> as Promise<Compared>;

const Params = z.strictObject({ failing: z.number().default(0), quality: z.number().default(1), mistakes: z.number().default(0) });

/** A skill of the project. It says how many items of a batch fail, and how good the others are. */
let invoked: string[] = [];
let busy = 0;
let mostBusy = 0;
const tryOut = defineSkill<number, { quality: number }, z.infer<typeof Params>>({
  name: "try-out",
  params: Params,
  result: z.object({ quality: z.number() }),
  generate: ({ size }) => Array.from({ length: size }, (_, index) => index),
  async invoke(batch, { failing, quality }, { turn, complexity }) {
    invoked.push(`${complexity}: ${batch.join(" ")}`);
    await turn(async () => {
      mostBusy = Math.max(mostBusy, ++busy);
      await new Promise((resolve) => setTimeout(resolve, 20));
      busy--;
    });
    return {
      results: batch.slice(failing).map(() => ({ quality })),
      failed: batch.slice(0, failing).map((_, index) => ({ index, error: new RangeError("too hard") })),
    };
  },
  score: (results) => ({ mean: results.reduce((sum, { quality }) => sum + quality, 0) / results.length }),
  measure: (results, { params }) => ({ count: results.length, mistakes: params.mistakes }),
  targets: () => [
    { metric: "count", above: 1, weight: 0.75 },
    { metric: "mistakes", below: 1, weight: 0.25 },
    { metric: "nothing", above: 1, weight: 5 },
  ],
});
beforeAll(() => setProjectSkills([tryOut]));
afterAll(() => setProjectSkills([]));

const trying = (name: string, inputSize: number, more: object = {}) => ({
  name,
  inputSize,
  batchSize: 4,
  complexityMultiplier: 1,
  ...more,
});
const tryOutWith = (scenarios: object[], context?: Record<string, unknown>) => run({ skill: "try-out", scenarios }, context);

test("items that a skill reports as failed count towards the tolerance, with their errors", async () => {
  const skillParams = { failing: 2 };
  const { progress, report } = await tryOutWith([
    trying("strict", 8, { skillParams }),
    trying("lax", 8, { skillParams, errorTolerance: 0.5, qualityMetrics: ["mean"] }),
  ]);
  expect(progress.strict).toMatchObject({ status: "failed", reason: "2 of 8 items failed", items: 2, failedItems: 2, percent: 50 });
  expect(progress.lax).toMatchObject({ status: "complete", items: 4, failedItems: 4, quality: 1, results: { length: 4 } });
  expect(progress.lax?.errors.map(({ batch, type, message }) => `${batch} ${type} ${message}`)).toEqual([
    "0 RangeError Item 0: too hard",
    "0 RangeError Item 1: too hard",
    "1 RangeError Item 4: too hard",
    "1 RangeError Item 5: too hard",
  ]);
  expect(report.recommendation).toMatchObject({ label: null, reasons: ["Not lax: 50 % of its items fail."] });
});

test("targets are scored by their weight, and a caller can give others", async () => {
  const { progress } = await tryOutWith([
    trying("met", 4),
    trying("missed", 4, { skillParams: { mistakes: 2 } }),
    trying("own", 4, { skillParams: { mistakes: 2 }, targets: [{ metric: "mean", atLeast: 1 }] }),
  ]);
  expect(Object.values(progress).map(({ scores }) => scores.functional)).toEqual([1, 0.75, 1]);
  expect(progress.missed?.quality).toBe(0.875);
});

test("a scenario below its expected quality is a gap and is not recommended", async () => {
  const poor = { skillParams: { quality: 0.5 }, qualityMetrics: ["mean"] };
  const { report } = await tryOutWith([trying("fine", 4), trying("poor", 40, { ...poor, expectedQuality: "good" })]);
  expect(report).toMatchObject({ recommendation: { label: "fine" }, gaps: ["poor: quality 0.50 is below good (0.8)"] });
  const { report: none } = await tryOutWith([trying("poor", 4, { ...poor, expectedQuality: "excellent" })]);
  expect(none.recommendation).toMatchObject({ label: null, reasons: ["Not poor: its quality 0.5 is below the expected 0.9."] });
});

test("one scenario runs again on its thread and is joined with the others, which are kept", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const scenarios = [trying("small", 4), trying("medium", 8, { skillParams: { failing: 1 } }), trying("large", 12)];
  const first = await run({ skill: "try-out", seed: 3, scenarios }, undefined, threadId);
  expect(first.progress.medium).toMatchObject({ status: "failed" });
  invoked = [];
  const changes = [{ name: "medium", errorTolerance: 0.5 }];
  const second = await run({ rerun: ["medium"], scenarios: changes }, undefined, threadId);
  expect(invoked).toEqual(["1: 0 1 2 3", "1: 4 5 6 7"]);
  expect(second.progress.medium).toMatchObject({ status: "complete", failedItems: 2, history: { length: 2 } });
  expect(second.progress.large).toEqual(first.progress.large);
  expect(second.report.comparison.rows.map(({ label, status }) => [label, status])).toEqual([
    ["small", "success"],
    ["medium", "success"],
    ["large", "success"],
  ]);
  expect(second.estimate.scenarios.map(({ scenario }) => scenario)).toEqual(["medium"]);
  const unknown = await run({ rerun: ["huge"] }, undefined, threadId);
  expect(unknown.__error__?.message).toContain("there are small (complete), medium (complete), large (complete)");
  expect((await run({ rerun: ["medium"] })).__error__?.message).toContain("there are none");
});

test("the cost is estimated before the start, and known for each scenario at the end", async () => {
  model.respond(() => ({ json: { text: "again" } }));
  const scenarios = [{ name: "few", inputSize: 2 }, { name: "more", inputSize: 4, difficulty: "intermediate" }]; // biome-ignore format: one line
  const context = {
    models: { worker: "echo-1" },
    budget: { prices: { "echo-1": { input: 1_000_000, output: 0 } } },
    computeDollarsPerHour: 3_600,
  };
  const input = { skill: "echo-agent", scenarios };
  const events = await collect(client.runs.stream(null, "scenario", { input, context, streamMode: ["custom", "values"] }));
  const plan = events.find(({ event, data }) => event === "custom" && (data as { type: string }).type === "plan")?.data as Compared;
  const { data } = events.findLast(({ event }) => event === "values") ?? {};
  const { estimate, report, progress } = data as Compared;
  expect(plan.estimate).toEqual(estimate);
  expect(estimate.scenarios.map(({ tokens }) => tokens)).toEqual([expect.any(Number), expect.any(Number)]);
  expect(estimate.dollars).toBeGreaterThan(6); // at a dollar per token
  expect(estimate.computeDollars).toBe(120); // 30 s and 90 s at a dollar per second
  expect(report.comparison.rows).toMatchObject([{ tokens: 4 }, { tokens: 8 }]);
  expect(report.comparison.rows[0]?.computeDollars).toBeCloseTo((progress.few?.workMs ?? 0) / 1_000, 5);
  expect(progress.more?.dollars).toBe(report.comparison.rows[1]?.dollars);
});

test("growth is expected from the skill's own word, for the medium scenario too", async () => {
  const sizes = { easy: 40, intermediate: 80, advanced: 120 };
  const scenarios = Object.entries(sizes).map(([difficulty, inputSize]) => ({ name: difficulty, difficulty, inputSize }));
  const { report } = await run({ scenarios });
  expect(report.comparison.growth).toMatchObject([
    { label: "intermediate", expected: 2, measured: expect.any(Number) },
    { label: "advanced", expected: 3, measured: expect.any(Number) },
  ]);
});

test("near its memory limit a scenario warns and goes on with smaller batches", async () => {
  let used = 100;
  const spy = vi.spyOn(process.memoryUsage, "rss").mockImplementation(() => used++ * 2 ** 20);
  onTestFinished(() => spy.mockRestore());
  invoked = [];
  const { progress } = await tryOutWith([trying("tight", 12, { memoryLimitMb: 1 })]);
  expect(invoked).toEqual(["1: 0 1 2 3", "1: 4 5", "1: 6", "1: 7", "1: 8", "1: 9", "1: 10", "1: 11"]);
  expect(progress.tight).toMatchObject({ status: "complete", batchSize: 1, memoryMb: 8, warnings: { length: 2 } });
  expect(progress.tight?.warnings[0]).toBe("1 MB of 1 MB are used after batch 1; batches go on with 2 items.");
});

test("complexity scales what the built-in skills generate", async () => {
  const { find } = skillsWith();
  const generate = (skill: string, complexity: number, params = {}) => {
    const { generate, params: schema } = find(skill);
    return generate({ size: 20, distribution: "uniform", seed: 1, complexity }, schema.parse(params), { allowedDirectories: [] });
  };
  const orders = (await generate("data-transformation", 3)) as { order: { texts: string[]; whole: boolean } }[];
  expect(orders.filter(({ order }) => order.whole).every(({ order }) => order.texts.length === 3)).toBe(true);
  const lines = async (complexity: number, params = {}) =>
    ((await generate("security-scanning", complexity, params)) as { content: string }[]).map(({ content }) => content.split("\n").length);
  expect(new Set(await lines(2))).toEqual(new Set([32]));
  expect((await lines(1, { lines: 50, largeFiles: 0.1 })).filter((length) => length === 500)).toHaveLength(2);
  const texts = (await generate("echo-agent", 3)) as string[];
  expect(texts[0]?.match(/\./g)).toHaveLength(3);
});

test("a scan uses the rule sets that are named, and is measured against those", async () => {
  const scan = (rules: string[]) =>
    run({ skill: "security-scanning", scenarios: [{ name: "scan", inputSize: 40, batchSize: 40, skillParams: { rules } }] });
  const [secrets, paths] = await Promise.all([scan(["secret"]), scan(["path-traversal"])]);
  expect(secrets.progress.scan).toMatchObject({ status: "complete", scores: { functional: 1 } });
  expect(secrets.progress.scan?.scores.recall).toBeGreaterThan(0.8); // the recall for secrets only
  const rulesOf = ({ progress }: Compared) =>
    new Set((progress.scan!.results as { findings: { rule: string }[] }[]).flatMap(({ findings }) => findings.map(({ rule }) => rule)));
  expect([...rulesOf(paths)]).toEqual(["composed-path"]);
  expect(rulesOf(secrets).has("composed-path")).toBe(false);
  expect((await scan(["everything"])).__error__?.message).toContain("rules");
});

test("load comes steadily, in a ramp or as a spike, for a number of requests or for a time, and more on hot endpoints", async () => {
  let hits: { probe: number; socket: unknown }[] = [];
  const target = createServer((request, response) => {
    hits.push({ probe: Number(new URL(request.url ?? "", "http://localhost").searchParams.get("probe")), socket: request.socket });
    response.end("ok");
  });
  /** The requests that each connection sent, in the order in which the connections began. */
  const byConnection = () => [...Map.groupBy(hits, ({ socket }) => socket).values()].map(({ length }) => length);
  await once(target.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void target.close());
  onTestFinished(() => target.closeAllConnections());
  const address = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", new URL(address).host);
  const load = async (inputSize: number, skillParams: object) => {
    hits = [];
    const scenarios = [{ name: "load", inputSize, batchSize: 5, skillParams: { targets: [address], connections: 8, ...skillParams } }];
    const { progress } = await run({ skill: "performance-testing", scenarios });
    return progress.load;
  };
  const steady = await load(1, { requests: 40 });
  expect(byConnection()).toEqual(Array(8).fill(5));
  expect(steady).toMatchObject({ scores: { reliability: 1, throughputScore: expect.any(Number), functional: expect.any(Number) } });
  await load(1, { requests: 32, profile: "spike" });
  expect(byConnection()).toEqual([...Array(2).fill(4), ...Array(8).fill(2), ...Array(2).fill(4)]);
  await load(1, { requests: 48, profile: "ramp" });
  expect(byConnection()).toEqual([...Array(2).fill(4), ...Array(4).fill(2), ...Array(8).fill(4)]);
  await load(5, { requests: 4, hotEndpoints: 0.2 });
  expect([0, 1, 4].map((probe) => hits.filter((hit) => hit.probe === probe).length)).toEqual([20, 4, 4]);
  const timed = await load(1, { durationSeconds: 1 });
  expect(timed?.measures.requests).toBeGreaterThan(20);
  expect(timed?.elapsedMs).toBeGreaterThan(900);
});

test("all scenarios of a run share its places for agents", async () => {
  mostBusy = 0;
  const scenarios = ["one", "two", "three"].map((name) => trying(name, 8));
  await tryOutWith(scenarios, { limits: { parallel: 2 } });
  expect(mostBusy).toBe(2);
});

test("a message can name the skill, and the answer is a message too", async () => {
  const { progress, messages } = await run({
    messages: [{ role: "user", content: "Please do a try-out" }],
    scenarios: [trying("only", 4)],
  });
  expect(progress.only).toMatchObject({ results: [{ quality: 1 }, {}, {}, {}] });
  expect(messages.at(-1)).toMatchObject({ type: "ai", content: expect.stringContaining("Recommended: only.") });
});

test("an unknown skill and unknown keys are refused before anything runs", async () => {
  const refused = (input: object, context = {}) =>
    client.runs.wait(null, "scenario", { input, context } as object).then(
      () => "accepted",
      (error: Error) => error.message,
    );
  expect(await refused({ skill: "juggling" })).toContain("there are try-out, data-transformation");
  expect(await refused({ scenario: [] })).toContain("scenarios");
  expect(await refused({ scenarios: [{ name: "a", batchsize: 2 }] })).toContain("batchSize");
  expect(await refused({}, { milestone: [50] })).toContain("milestones");
  expect(await refused({ spreads: true })).toContain("unknown key");
});

test("in code a scenario takes skills and other defaults of its context", async () => {
  const own = defineSkill({
    name: "own",
    result: z.number(),
    generate: ({ size }) => Array.from({ length: size }, (_, index) => index),
    invoke: async (batch: number[]) => batch,
    score: (results) => ({ all: results.length > 0 ? 1 : 0 }),
  });
  const graph = scenario({ name: "mine", skills: [() => own], milestones: [50], budget: { tokens: 5 } });
  const scenarios = [{ name: "one", inputSize: 4, batchSize: 2 }];
  const { syncs, report } = await graph.invoke({ skill: "own", mode: "milestone", scenarios });
  expect(syncs.map(({ percent }) => percent)).toEqual([50, 100]);
  expect(report?.recommendation?.label).toBe("one");
  expect(() => scenario({ milestones: [500] })).toThrow();
});
