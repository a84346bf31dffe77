import { beforeEach, expect, test } from "vitest";
import { inSequence, type LedgerEntry, type Metrics, metricsOf } from "../../graphs/index.ts";
import type { ServiceStats } from "../../src/stats/service-stats.ts";
import { until } from "../command.ts";
import { startPatterns } from "../patterns/service.ts";

const { client, model, fetch, db } = await startPatterns();
beforeEach(() => model.script());

interface Output {
  metrics: Metrics;
  ledger: LedgerEntry[];
  __interrupt__?: unknown[];
}
interface Custom {
  type: string;
  [field: string]: unknown;
}

const tasks = ["a", "b"].map((name) => ({ name, do: { agent: "helper", task: `do ${name}` } }));
const helper = { name: "helper", role: "a helper", retries: 0 };
const context = (more: object = {}) => ({ agents: [helper], merge: "byName", onFailures: "partial", ...more });
const run = (graph: string, payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, graph, payload as object) as Promise<unknown> as Promise<Output>;
const readStats = async (query = ""): Promise<ServiceStats> => (await fetch(`/stats${query}`)).json();
const scrape = async () => (await fetch("/metrics")).text();

async function untilCounted(graph: string, isThere: (stats: ServiceStats) => boolean): Promise<ServiceStats> {
  let stats = await readStats(`?graph=${graph}`);
  await until(async () => {
    stats = await readStats(`?graph=${graph}`);
    return isThere(stats);
  });
  return stats;
}

/** Runs a graph, and returns its custom events of a type, and its output. */
async function watch(type: string, payload: object): Promise<{ events: Custom[]; output: Output }> {
  const events: Custom[] = [];
  let output: unknown;
  const streamed = { input: { task: "t", tasks: [tasks[0]] }, streamMode: ["custom", "values"], ...payload };
  for await (const { event, data } of client.runs.stream(null, "fan-out", streamed as object)) {
    if (event === "custom" && (data as Custom).type === type) events.push(data as Custom);
    if (event === "values") output = data;
  }
  return { events, output: output as Output };
}

test("a run has metrics in its output, and its calls are in the statistics and in the metrics of the service", async () => {
  model.respond((messages) => (messages.includes("do b") ? { status: 400 } : { tokens: ["done"] }));
  const optional = tasks.map((task) => ({ ...task, required: false }));
  const { metrics, ledger } = await run("fan-out", { input: { task: "t", tasks: optional }, context: context() });
  expect(ledger.map(({ outcome }) => outcome).sort()).toEqual(["failed", "success"]);
  expect(metrics).toMatchObject({
    agents: 1,
    calls: 2,
    failureRate: 0.5,
    pausedMs: 0,
    stalled: false,
    byAgent: { helper: { calls: 2, failures: 1 } },
  });
  expect(metrics.waitMs?.max).toBeGreaterThanOrEqual(0);

  const { runs, agents } = await untilCounted("fan-out", (stats) => stats.agents[0]?.calls === 2 && stats.runs.succeeded === 1);
  expect(runs).toMatchObject({ created: 1, succeeded: 1, failed: 0 });
  expect(agents).toMatchObject([
    {
      graph: "fan-out",
      agent: "helper",
      health: "degraded",
      failures: 1,
      failure_rate: 0.5,
      last_error: { message: expect.stringContaining("400") },
    },
  ]);
  const text = await scrape();
  expect(text).toContain('ensemble_agent_calls_total{graph="fan-out",agent="helper",outcome="success"} 1');
  expect(text).toContain('ensemble_agent_calls_total{graph="fan-out",agent="helper",outcome="failed"} 1');
});

test("the time in which a person thinks is a pause, also when several answers follow each other", async () => {
  model.script({ tokens: ["said"] });
  const participants = [
    { name: "writer", role: "a writer" },
    { name: "me", role: "a person", human: true },
  ];
  const chat = { participants, termination: { maxMessages: 5 } };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run("group-chat", { input: { task: "t" }, context: chat }, threadId);
  expect(asked.__interrupt__).toHaveLength(1);
  await run("group-chat", { command: { resume: "go on" } }, threadId);
  const { metrics, ledger } = await run("group-chat", { command: { resume: "and on" } }, threadId);
  expect(ledger.map(({ resumedAt }) => resumedAt !== undefined)).toEqual([false, true, true]);
  expect(metrics).toEqual(metricsOf(ledger, { pieces: inSequence(ledger) }));
  const ends = ledger.map(({ at, elapsedMs }) => Date.parse(at) + elapsedMs);
  const paused = ledger.slice(1).reduce((sum, { resumedAt = 0 }, index) => sum + resumedAt - (ends[index] ?? 0), 0);
  expect(metrics.pausedMs).toBe(paused);
  expect(metrics.calls).toBe(3);
});

test("a run whose agent does not answer is stalled, and one event says so", async () => {
  model.script({ tokens: ["s"], hang: true });
  const agents = [{ ...helper, timeoutSeconds: 1.5 }];
  const hanging = [{ ...tasks[0], required: false, retries: 1 }];
  const request = { context: context({ agents, alerts: { stalledSeconds: 0.2 } }), input: { task: "t", tasks: hanging } };
  const { events, output } = await watch("stalled", request);
  expect(events).toMatchObject([{ type: "stalled", pattern: "fan-out", agent: "helper", state: expect.stringMatching(/^(slow|dead)$/) }]);
  expect(output.metrics.stalled).toBe(true);
  expect(output.ledger.map(({ stalled }) => stalled !== undefined)).toEqual([true, false]);
  await untilCounted("fan-out", ({ agents, alerts }) => (agents[0]?.stalls ?? 0) > 0 && alerts.some(({ alert }) => alert === "stalled"));
});

test("a run that crosses a threshold emits an event and sets an alert, and the next good run ends it", async () => {
  const thresholds = { alerts: { failureRate: 0.4 } };
  const optional = [{ ...tasks[0], required: false }];
  model.script({ status: 400 });
  const { events } = await watch("alert", { context: context(thresholds), input: { task: "t", tasks: optional } });
  expect(events).toMatchObject([{ type: "alert", pattern: "fan-out", alert: "failureRate", value: 1, threshold: 0.4 }]);
  const isActive = ({ alerts }: ServiceStats) => alerts.find(({ alert }) => alert === "failureRate")?.active;
  const { alerts } = await untilCounted("fan-out", (stats) => isActive(stats) === true);
  expect(alerts.find(({ alert }) => alert === "failureRate")).toMatchObject({ value: 1, threshold: 0.4, crossings: 1 });
  await until(async () => (await scrape()).includes('ensemble_alert{graph="fan-out",alert="failureRate"} 1'));

  model.script({ tokens: ["done"] });
  expect((await watch("alert", { context: context(thresholds) })).events).toEqual([]);
  await untilCounted("fan-out", (stats) => isActive(stats) === false);
});

test("thresholds that make no sense are refused before anything runs", async () => {
  for (const alerts of [{ failureRate: 2 }, { stalledSeconds: 0 }, { unknown: 1 }, { waitMs: "5" }]) {
    const response = await fetch("/runs/wait", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ assistant_id: "fan-out", input: { task: "t" }, context: { alerts } }),
    });
    expect(response.status).toBe(422);
  }
});

test("the metrics show how many dead letters wait, by kind", async () => {
  const { rows } = await db.query("select count(*)::integer as dead from dead_letters where kind = 'task' and state = 'dead'");
  await until(async () => (await scrape()).includes(`ensemble_dead_letters{kind="task"} ${rows[0].dead}`));
  expect(await scrape()).toContain('ensemble_dead_letters{kind="webhook"} 0');
});

test("a graph without runs has no figures, and divides by nothing", async () => {
  const { runs, graphs, agents } = await readStats("?graph=nothing");
  const times = { p50: null, p95: null };
  expect(runs).toEqual({
    ...{ created: 0, succeeded: 0, failed: 0, interrupted: 0, throughput_per_hour: 0, conflicts: 0 },
    ...{ duration_seconds: times, wait_seconds: times },
  });
  expect([graphs, agents]).toEqual([[], []]);
});
