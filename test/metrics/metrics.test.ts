import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { startMetrics } from "../../src/metrics/metrics.ts";
import { readRunCounts } from "../../src/runs/figures.ts";
import { until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService({ ENSEMBLE_LEASE_SECS: "3" });

type Samples = Record<string, number>;

/** Returns the lines `name{label="value"} 1` of metrics as an object. */
function samplesIn(text: string): Samples {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
}

const scrape = async (): Promise<Samples> => samplesIn(await (await fetch("/metrics")).text());

/** Waits until the metrics show a value. Like a scraper, it reads them again and again. */
async function untilShown(isRight: (samples: Samples) => boolean): Promise<Samples> {
  let samples: Samples = {};
  await until(async () => {
    samples = await scrape();
    return isRight(samples);
  });
  return samples;
}

const halted = async (work: () => Promise<void>) => {
  await db.query("insert into halts default values");
  await work().finally(() => db.query("delete from halts"));
};

test("the metrics count attempts by outcome, their waiting times, durations and events", async () => {
  await client.runs.wait(null, "steps", { input: {} });
  await client.runs.wait(null, "fails", { input: {}, raiseError: false });
  const samples = await untilShown((shown) => shown['ensemble_attempts_ended_total{graph="fails",outcome="error"}'] === 1);
  expect(samples).toMatchObject({
    'ensemble_attempts_ended_total{graph="steps",outcome="success"}': 1,
    'ensemble_attempt_seconds_count{graph="steps"}': 1,
    ensemble_claims_total: 2,
    ensemble_run_wait_seconds_count: 2,
    ensemble_attempts_running: 0,
    ensemble_slots: 10,
    ensemble_takeovers_total: 0,
  });
  expect(samples.ensemble_events_total).toBeGreaterThan(5);
  expect(samples.ensemble_event_lag_seconds_count).toBeGreaterThan(1);
});

test("the metrics show what is held of each resource, who waits for it, and for how long requests have waited", async () => {
  const gate = join(tmpdir(), randomUUID());
  onTestFinished(() => rm(gate, { force: true }));
  const start = () => client.runs.create(null, "sharing", { input: { plan: { needs: { x: 1 }, gate } } });
  const runs = [await start(), await start()];
  const of = (name: string, resource = "x") => `ensemble_resource_${name}{resource="${resource}"}`;
  const shown = await untilShown((samples) => samples[of("waiting")] === 1);
  expect(shown).toMatchObject({
    [of("held")]: 1,
    [of("capacity")]: 1,
    [of("contention")]: 1,
    [of("held", "y")]: 0,
    ensemble_resource_deadlocks_total: 0,
  });
  await writeFile(gate, "");
  for (const { thread_id, run_id } of runs) await client.runs.join(thread_id, run_id);
  const after = await untilShown((samples) => samples[of("held")] === 0);
  expect(after[of("wait_seconds_count")]).toBe(2);
});

test("the metrics show each limit, with what runs, waits and was refused", async () => {
  const setLimit = (values: object) =>
    fetch("/limits/slow", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(values) });
  await setLimit({ total: 1 });
  onTestFinished(async () => void (await fetch("/limits/slow", { method: "DELETE" })));
  const endless = { input: { until: 100_000 }, config: { recursion_limit: 1_000_000 } };
  const runs = [await client.runs.create(null, "slow", endless), await client.runs.create(null, "slow", endless)];
  const of = (name: string) => `ensemble_limit_${name}{limit="slow"}`;
  const shown = await untilShown((samples) => samples[of("running")] === 1 && samples[of("waiting")] === 1);
  expect(shown[of("total")]).toBe(1);
  await setLimit({ per_key: 5 });
  const after = await untilShown((samples) => samples[of("running")] === 2);
  expect(after[of("total")]).toBeUndefined();
  for (const { thread_id, run_id } of runs) await client.runs.cancel(thread_id, run_id, true);
});

test("the metrics show the connection pool, the process and its running attempts", async () => {
  const samples = await scrape();
  expect(samples).toMatchObject({ 'ensemble_pool_connections{state="most"}': 10, 'ensemble_pool_connections{state="waiting"}': 0 });
  expect(Object.keys(samples)).toContainEqual(expect.stringMatching(/^ensemble_info\{version="\d.*",role="all"\}$/));
  expect(samples.process_resident_memory_bytes).toBeGreaterThan(10_000_000);
  expect(samples.process_cpu_seconds_total).toBeGreaterThan(0);
  expect(samples.nodejs_eventloop_lag_p99_seconds).toBeGreaterThanOrEqual(0);
  const json = (await (await fetch("/metrics?format=json")).json()) as { name: string }[];
  expect(json.map(({ name }) => name)).toContain("ensemble_queue_depth");
  expect((await fetch("/metrics?format=xml")).status).toBe(422);
});

test("an open stream is counted until its client has gone", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "slow", { input: { until: 100_000 }, config: { recursion_limit: 1_000_000 } });
  const leaving = new AbortController();
  const response = await fetch(`/threads/${threadId}/runs/${run.run_id}/stream`, { signal: leaving.signal });
  await response.body?.getReader().read();
  expect((await scrape()).ensemble_streams_open).toBe(1);
  leaving.abort();
  await untilShown(({ ensemble_streams_open: open }) => open === 0);
  await client.runs.cancel(threadId, run.run_id, true);
});

test("the metrics show how many runs are due, the longest wait, and how many runs are scheduled for later", async () => {
  await halted(async () => {
    for (const afterSeconds of [0, 0, 600]) await client.runs.create(null, "steps", { input: {}, afterSeconds });
    const samples = await untilShown(({ ensemble_queue_depth: depth }) => depth === 2);
    expect(samples).toMatchObject({ ensemble_queue_delayed: 1, 'ensemble_runs{status="pending"}': 3, ensemble_workers: 1 });
    expect(samples.ensemble_queue_oldest_seconds).toBeGreaterThan(0);
    expect(samples.ensemble_checkpoint_bytes).toBeGreaterThan(10_000);
    expect(samples['ensemble_table_bytes{table="runs"}']).toBeGreaterThan(10_000);
  });
});

test("a run that was taken from a worker that is gone is counted", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await halted(async () => {
    const run = await client.runs.create(threadId, "steps", { input: {} });
    await db.query(`
      with gone as (insert into workers (worker_id, lock_key, host, pid, heartbeat_at)
                    values (gen_random_uuid(), 1000000, 'elsewhere', 1, now() - interval '1 minute') returning worker_id)
      update runs set status = 'running', attempt = 1, started_at = now(), worker_id = (select worker_id from gone)
       where run_id = '${run.run_id}'`);
  });
  await untilShown(({ ensemble_takeovers_total: takeovers }) => takeovers === 1);
});

/** Creates metrics with a separate pool, and counts the queries. */
function metricsOver(connectionString: string) {
  const pool = new pg.Pool({ connectionString });
  onTestFinished(() => pool.end());
  let asked = 0;
  const query = pool.query.bind(pool) as (...given: unknown[]) => unknown;
  Object.assign(pool, { query: (...given: unknown[]) => ++asked && query(...given) });
  const metrics = startMetrics({ pool, poolSize: 1, slots: 1, leaseSeconds: 15, version: "1", role: "all" });
  onTestFinished(metrics.stop);
  return { metrics, asked: () => asked };
}

test("many simultaneous readers of the metrics share one set of queries", async () => {
  const { metrics, asked } = metricsOver(await createDatabase());
  await Promise.all(Array.from({ length: 50 }, () => metrics.read("prometheus")));
  expect(asked()).toBe(8);
});

test("without a database the metrics omit the queue and show the rest", async () => {
  const { metrics } = metricsOver("postgresql://postgres@127.0.0.1:1/nowhere");
  const samples = samplesIn((await metrics.read("prometheus")).text);
  expect(samples).toMatchObject({ ensemble_database_up: 0, ensemble_slots: 1 });
  expect(Object.keys(samples).filter((name) => /queue|checkpoint_bytes|ensemble_runs/.test(name))).toEqual([]);
});

test("the number of many runs is estimated, not counted", async () => {
  const pool = new pg.Pool({ connectionString: await createDatabase() });
  onTestFinished(() => pool.end());
  await pool.query(`
    insert into assistants (assistant_id, graph_id, version, name, config, context, metadata)
         values ('00000000-0000-0000-0000-000000000001', 'g', 1, 'g', '{}', '{}', '{}');
    insert into threads (thread_id) values ('00000000-0000-0000-0000-000000000002');
    insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, events_kept_secs, status, ended_at, error)
    select gen_random_uuid(), '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'enqueue', '{}', '{}', 1,
           (case when n % 10 = 0 then 'error' else 'success' end)::run_status, now(), case when n % 10 = 0 then '{}'::json end
      from generate_series(1, 25000) n`);
  await pool.query("analyze runs");
  const counts = Object.fromEntries((await readRunCounts(pool)).map(({ status, runs }) => [status, runs]));
  expect(counts.success).toBeGreaterThan(21_000);
  expect(counts.success).toBeLessThan(24_000);
  expect(counts.error).toBeGreaterThan(1_500);
});

test("a worker, which has no API, serves its metrics on a separate port", async () => {
  const config = resolve("test/graphs/langgraph.json");
  const databaseUrl = await createDatabase();
  const env = {
    ENSEMBLE_ROLE: "worker",
    ENSEMBLE_METRICS_PORT: "0",
    ENSEMBLE_CONFIG: config,
    DATABASE_URL: databaseUrl,
    N_JOBS_PER_WORKER: "3",
  };
  const { metricsUrl = "", stop } = await startService(readConfig(env), pino({ level: "silent" }));
  onTestFinished(stop);
  expect(metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  expect(samplesIn(await (await globalThis.fetch(metricsUrl)).text())).toMatchObject({ ensemble_slots: 3, ensemble_database_up: 1 });
  expect(await (await globalThis.fetch(`${metricsUrl}?format=json`)).json()).toContainEqual(
    expect.objectContaining({ name: "ensemble_slots" }),
  );
  expect((await globalThis.fetch(metricsUrl.replace("/metrics", "/threads"))).status).toBe(404);
  const taken = startService(readConfig({ ...env, ENSEMBLE_METRICS_PORT: new URL(metricsUrl).port }), pino({ level: "silent" }));
  await expect(taken).rejects.toThrow(/^ENSEMBLE_METRICS_PORT: 127\.0\.0\.1:\d+ cannot be listened on \(EADDRINUSE\)\.$/);
});
