import pg from "pg";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeEach, expect, test } from "vitest";
import { agentMetrics } from "../../src/metrics/agents.ts";
import { type Health, healthOf } from "../../src/stats/agent-health.ts";
import { addAgentHours } from "../../src/stats/agent-hours.ts";
import { count, noCounts, percentile } from "../../src/stats/histogram.ts";
import { agentNames } from "../../src/stats/label-limit.ts";
import { readStats } from "../../src/stats/service-stats.ts";
import { countOldStatistics, sweepStatistics } from "../../src/stats/sweep-statistics.ts";
import { startStatistics } from "../../src/worker/statistics.ts";
import { createDatabase } from "../database.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 4 });
afterAll(() => db.end());
beforeEach(() => db.query("truncate agent_hours, agent_health, run_hours, alerts"));

const runId = "0198a000-0000-7000-8000-000000000001";
const call = (agent: string, outcome: "success" | "failed" = "success", more: object = {}) => ({
  ...{
    agent,
    outcome,
    elapsedMs: 100,
    attempts: 1,
    inputTokens: 7,
    outputTokens: 3,
    ...(outcome === "failed" && { error: "no" }),
    ...more,
  },
});
const start = () => {
  const registry = new Registry();
  const statistics = startStatistics({ db, metrics: agentMetrics(registry), log: pino({ level: "silent" }) });
  return { statistics, registry, calls: statistics.callsOf("g", runId) };
};

test("what several workers have counted is the same for everybody, and is still there after they have stopped", async () => {
  const workers = [start(), start()];
  for (const { statistics, calls } of workers) {
    statistics.began("g", 0.004);
    calls.ended(call("a", "failed", { attempts: 2 }));
    calls.ended(call("a"));
    calls.waited("a", 250);
    calls.stalled("a", "dead");
    calls.concluded({ conflicts: 2, alerts: [{ alert: "failureRate", value: 0.5, threshold: 0.1, isCrossed: true }] });
    statistics.ended("g", "success", 2);
    statistics.ended("g", "released", 9);
  }
  for (const { statistics } of workers) await statistics.stop();
  const stats = await readStats(db, {});
  expect(stats.runs).toMatchObject({ created: 2, succeeded: 2, failed: 0, interrupted: 0, conflicts: 4 });
  expect(stats.graphs.map(({ graph }) => graph)).toEqual(["g"]);
  expect(stats.agents).toEqual([
    {
      ...{ graph: "g", agent: "a", health: "degraded", calls: 4, failures: 2, failure_rate: 0.5 },
      latency_seconds: { mean: 0.1, p50: 0.075, p95: 0.0975 },
      ...{ waits: 2, waited_seconds: 0.5, input_tokens: 28, output_tokens: 12, retries: 2, recoveries: 2, stalls: 2 },
      last_error: { message: "no", at: expect.any(Date) },
    },
  ]);
  expect(stats.alerts).toMatchObject([
    { graph: "g", alert: "failureRate", active: true, value: 0.5, threshold: 0.1, crossings: 2, run_id: runId },
  ]);
  expect((await readStats(db, { graph: "other" })).agents).toEqual([]);
  expect((await readStats(db, { since: new Date(Date.now() + 7_200_000) })).runs.created).toBe(0);
});

test("a worker that dies loses only what it has not stored yet", async () => {
  const { statistics, calls } = start();
  calls.ended(call("a"));
  await expect.poll(async () => (await readStats(db, {})).agents[0]?.calls, { timeout: 10_000 }).toBe(1);
  const dying = start();
  dying.calls.ended(call("a"));
  expect((await readStats(db, {})).agents[0]?.calls).toBe(1);
  await Promise.all([statistics.stop(), dying.statistics.stop()]);
});

test("workers that store at the same time do not wait for each other in a circle", async () => {
  const names = Array.from({ length: 150 }, (_, index) => `agent ${index}`);
  const workers = Array.from({ length: 4 }, start);
  for (const [index, { calls }] of workers.entries()) for (const name of index % 2 ? names.toReversed() : names) calls.ended(call(name));
  await Promise.all(workers.map(({ statistics }) => statistics.stop()));
  const { agents } = await readStats(db, {});
  expect(agents).toHaveLength(150);
  expect(agents.every(({ calls }) => calls === 4)).toBe(true);
});

test.each<[string, Health]>([
  ["s".repeat(20), "healthy"],
  [`ff${"s".repeat(18)}`, "healthy"],
  [`fff${"s".repeat(17)}`, "degraded"],
  ["f".repeat(10) + "s".repeat(10), "degraded"],
  ["f".repeat(11) + "s".repeat(9), "failing"],
  ["s", "healthy"],
  ["f", "failing"],
  ["", "healthy"],
])("an agent with the last outcomes %j is %s", (outcomes, health) => {
  expect(healthOf(outcomes)).toBe(health);
});

test("only the last 20 calls of an agent decide about its health", async () => {
  const failing = start();
  for (let index = 0; index < 30; index++) failing.calls.ended(call("a", "failed"));
  await failing.statistics.stop();
  expect((await readStats(db, {})).agents[0]?.health).toBe("failing");
  const healthy = start();
  for (let index = 0; index < 20; index++) healthy.calls.ended(call("a"));
  await healthy.statistics.stop();
  expect((await readStats(db, {})).agents[0]).toMatchObject({ health: "healthy", calls: 50, failures: 30 });
});

test("an alert ends with the first run within the threshold, and a run within it sets none", async () => {
  const check = async (value: number) => {
    const { statistics, calls } = start();
    calls.concluded({ conflicts: 0, alerts: [{ alert: "waitMs", value, threshold: 5, isCrossed: value > 5 }] });
    await statistics.stop();
    return (await readStats(db, {})).alerts;
  };
  expect(await check(1)).toEqual([]);
  expect(await check(9)).toMatchObject([{ active: true, value: 9, crossings: 1 }]);
  expect(await check(2)).toMatchObject([{ active: false, value: 9, crossings: 1 }]);
  expect(await check(7)).toMatchObject([{ active: true, value: 7, crossings: 2 }]);
});

test("the agents after the first 200 are counted together, and their names can be stored", async () => {
  const nameOf = agentNames(2);
  expect(["a", "b", "c", "a"].map((name) => nameOf("g", name))).toEqual(["a", "b", "other", "a"]);
  expect(nameOf("h", "a")).toBe("other");
  const { statistics, calls, registry } = start();
  for (let index = 0; index < 300; index++) calls.ended(call(index === 0 ? `nul \0 ${"long".repeat(100)}` : `agent ${index}`));
  calls.ended(call("agent 1", "success", { elapsedMs: Number.NaN, inputTokens: 1.5, attempts: Number.NaN }));
  await statistics.stop();
  const { agents } = await readStats(db, {});
  expect(agents).toHaveLength(201);
  expect(agents.find(({ agent }) => agent === "other")?.calls).toBe(100);
  const shown = await registry.getSingleMetric("ensemble_agent_calls_total")?.get();
  expect(shown?.values).toHaveLength(201);
});

test("percentiles come from the buckets, and there are none without a call", () => {
  const counts = noCounts();
  expect(percentile(counts, 0.5)).toBeNull();
  for (const ms of [3, 7, 7, 80]) count(counts, ms);
  expect([percentile(counts, 0.5), percentile(counts, 1)]).toEqual([7.5, 100]);
  count(counts, 9_000_000);
  expect(percentile(counts, 1)).toBe(3_600_000);
});

test("statistics are deleted after 30 days", async () => {
  const counts = { calls: 1, failures: 0, elapsedMs: 1, waits: 0, waitedMs: 0, inputTokens: 0, outputTokens: 0 };
  await addAgentHours(db, [{ graphId: "g", agent: "old", ...counts, retries: 0, recoveries: 0, stalls: 0, latency: noCounts() }]);
  await db.query("update agent_hours set hour = hour - interval '31 days'");
  await addAgentHours(db, [{ graphId: "g", agent: "new", ...counts, retries: 0, recoveries: 0, stalls: 0, latency: noCounts() }]);
  expect(await countOldStatistics(db)).toBe(1);
  expect(await sweepStatistics(db, 10)).toBe(1);
  expect((await readStats(db, { since: new Date(0) })).agents.map(({ agent }) => agent)).toEqual(["new"]);
});
