import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import pg from "pg";
import { pino } from "pino";
import { afterAll, afterEach, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { type Service, startService } from "../../src/main.ts";
import { noteAbsentGraphs } from "../../src/runs/absent.ts";
import { until } from "../cluster-of-processes.ts";
import { createDatabase } from "../database.ts";

const DATABASE_URL = await createDatabase();
const db = new pg.Pool({ connectionString: DATABASE_URL, max: 3 });
afterAll(() => db.end());

const running = new Set<Service>();
const stopAll = async () => {
  await Promise.all([...running].map((service) => service.stop()));
  running.clear();
};
afterEach(stopAll);

/** Starts one of two projects on the same database. `first` has the graph "steps", and `second` has "later" and "parts". */
async function start(project: "first" | "second", role: "api" | "worker" | "all", env: Record<string, string> = {}): Promise<Service> {
  const ENSEMBLE_CONFIG = fileURLToPath(new URL(`../graphs/projects/${project}.json`, import.meta.url));
  const settings = { ENSEMBLE_CONFIG, ENSEMBLE_ROLE: role, DATABASE_URL, PORT: "0", WORKER_DRAIN_TIMEOUT: "0.2", ...env };
  const service = await startService(readConfig(settings), pino({ level: "silent" }));
  running.add(service);
  return service;
}

const clientOf = ({ url }: Service) => new Client({ apiUrl: url ?? "", apiKey: null, callerOptions: { maxRetries: 0 } });
const statusOf = async (runId: string) => (await db.query("select status from runs where run_id = $1", [runId])).rows[0]?.status;
const input = { log: [] };

test("a worker of the release before a new graph leaves its runs to a worker that has the graph", async () => {
  await start("first", "worker");
  const client = clientOf(await start("second", "api"));
  const { thread_id } = await client.threads.create();
  const runs = await Promise.all(Array.from({ length: 5 }, () => client.runs.create(thread_id, "later", { input })));
  await start("second", "worker");
  for (const { run_id } of runs) await client.runs.join(thread_id, run_id);
  expect(await Promise.all(runs.map(({ run_id }) => statusOf(run_id)))).toEqual(Array(5).fill("success"));
});

test("two projects share one database, and each API can create runs of both projects' graphs", async () => {
  const first = clientOf(await start("first", "all"));
  const second = clientOf(await start("second", "all"));
  expect(await second.runs.wait(null, "steps", { input })).toMatchObject({ last: "three" });
  expect(await first.runs.wait(null, "later", { input })).toMatchObject({ last: "three" });
  const assistant = await first.assistants.create({ graphId: "later", name: "of the other project" });
  expect(await first.runs.wait(null, assistant.assistant_id, { input })).toMatchObject({ last: "three" });
  await expect(first.assistants.create({ graphId: "nobodys" })).rejects.toThrow('Graph "nobodys" not found');
});

test("a run whose graph no worker has waits, is reported, and runs when a worker has the graph", async () => {
  const service = await start("first", "all");
  const client = clientOf(service);
  const { run_id, thread_id } = await client.runs.create(null, "later", { input, onCompletion: "continue" });
  await until(async () => "waiting_for_graph" in (await client.runs.get(thread_id, run_id)));
  expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: "pending", waiting_for_graph: "later" });
  expect(await client.runs.list(thread_id)).toMatchObject([{ waiting_for_graph: "later" }]);
  await until(async () => /ensemble_threads_without_worker\{graph="later"\} 1/.test(await (await fetch(`${service.url}/metrics`)).text()));

  await start("second", "worker");
  await client.runs.join(thread_id, run_id);
  expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: "success" });
  await until(async () => (await noteAbsentGraphs(db)).length === 0);
  expect(await client.runs.get(thread_id, run_id)).not.toHaveProperty("waiting_for_graph");
});

test("a run that waits for its graph can be cancelled, although no worker has the graph", async () => {
  const client = clientOf(await start("first", "all"));
  const { run_id, thread_id } = await client.runs.create(null, "later", { input, onCompletion: "continue" });
  // The run was started by a worker that had the graph, returned to the queue, and then cancelled.
  await db.query("update runs set attempt = 1, started_at = now() where run_id = $1", [run_id]);
  await client.runs.cancel(thread_id, run_id, true);
  expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: "interrupted" });
});

test("a run that waits too long for its graph ends in an error, with all runs that wait behind it", async () => {
  const client = clientOf(await start("first", "all", { ENSEMBLE_GRAPH_WAIT_SECS: "0.2" }));
  const { thread_id } = await client.threads.create();
  const create = () => client.runs.create(thread_id, "later", { input });
  const runs = [await create(), await create(), await create()]; // one after another, so that the last run ends last
  const events: string[] = [];
  for await (const { event, data } of client.runs.joinStream(thread_id, runs[2]?.run_id ?? "")) events.push(`${event} ${data.error}`);
  expect(events).toEqual(["error GraphNotFoundError"]);
  for (const { run_id } of runs) expect(await client.runs.get(thread_id, run_id)).toMatchObject({ status: "error" });
  expect(await client.threads.get(thread_id)).toMatchObject({ status: "error" });
  expect(await client.runs.join(thread_id, runs[0]?.run_id ?? "")).toMatchObject({ __error__: { error: "GraphNotFoundError" } });
});

test("workers of the previous release, which do not report their graphs, may have any graph", async () => {
  const client = clientOf(await start("first", "api"));
  await client.runs.create(null, "later", { input });
  expect(await noteAbsentGraphs(db)).toMatchObject([{ graphId: "later" }]);
  await db.query("insert into workers (worker_id, lock_key, host, pid) values (gen_random_uuid(), 0, 'elsewhere', 1)");
  expect(await noteAbsentGraphs(db)).toEqual([]);
  await db.query("delete from workers where host = 'elsewhere'");
});

test("the graph of a run is stored for the release before, even where its document holds a NUL", async () => {
  const client = clientOf(await start("first", "api"));
  const { thread_id } = await client.threads.create();
  const { rows } = await db.query(
    `insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, events_kept_secs)
     select gen_random_uuid(), $1, assistant_id, 'enqueue', '{}', '{"input": "\\u0000"}', 60 from assistants where graph_id = 'steps'
     returning graph_id, head`,
    [thread_id],
  );
  expect(rows).toEqual([{ graph_id: "steps", head: true }]);
});
