import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@langchain/langgraph-sdk";
import pg from "pg";
import { pino } from "pino";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startEmbeddedPostgres } from "../../src/db/embedded.ts";
import { type Service, startService } from "../../src/main.ts";
import { settledSeconds } from "../../src/runs/workers.ts";
import { until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startProxy } from "../proxy.ts";
import { collect } from "../sse.ts";

vi.setConfig({ testTimeout: 240_000 });

const project = fileURLToPath(new URL("../graphs/langgraph.json", import.meta.url));

async function start(databaseUrl: string, env: Record<string, string> = {}): Promise<{ service: Service; client: Client; url: string }> {
  const settings = {
    ENSEMBLE_CONFIG: project,
    DATABASE_URL: databaseUrl,
    PORT: "0",
    WORKER_DRAIN_TIMEOUT: "0.2",
    ENSEMBLE_LEASE_SECS: "3",
    ...env,
  };
  const service = await startService(readConfig(settings), pino({ level: process.env.TEST_LOG ?? "silent" }));
  onTestFinished(() => service.stop());
  const url = service.url ?? "";
  return { service, url, client: new Client({ apiUrl: url, apiKey: null }) };
}

const ten = { input: { until: 20, tickMs: 100 }, config: { recursion_limit: 100 }, streamMode: ["updates" as const] };

async function tenRuns(client: Client) {
  return Promise.all(
    Array.from({ length: 10 }, async () => {
      const { thread_id: threadId } = await client.threads.create();
      return client.runs.create(threadId, "slow", ten);
    }),
  );
}

async function whole(databaseUrl: string, runs: { run_id: string; thread_id: string }[], client: Client): Promise<void> {
  for (const { thread_id, run_id } of runs) expect(await client.runs.join(thread_id, run_id)).toMatchObject({ ticks: 20 });
  const db = new pg.Client(databaseUrl);
  await db.connect();
  const { rows } = await db.query("select status, crashes from runs where status <> 'success' or crashes > 0");
  const repeated = await db.query(
    "select run_id, metadata ->> 'step' from checkpoints where checkpoint_ns = '' group by 1, 2 having count(*) > 1",
  );
  await db.end();
  expect(rows).toEqual([]);
  expect(repeated.rows).toEqual([]);
}

const answers = async (url: string) => (await fetch(`${url}/ok?check_db=1`)).status;
const untilItAnswers = (url: string) => until(async () => (await answers(url)) === 200, 150_000);

/** Waits until the ten runs together have stored ten more steps. */
async function progress(databaseUrl: string): Promise<void> {
  const db = new pg.Client(databaseUrl);
  await db.connect();
  const stored = async () => Number((await db.query("select count(*) from checkpoints")).rows[0].count);
  const before = await stored();
  await until(async () => (await stored()) >= before + 10);
  await db.end();
}

test("every connection killed under load: no run is lost, none is taken from its living worker, and clients' streams go on", async () => {
  const databaseUrl = await createDatabase();
  const { client } = await start(databaseUrl);
  const runs = await tenRuns(client);
  const following = runs.map(({ thread_id, run_id }) => collect(client.runs.joinStream(thread_id, run_id)));
  const admin = new pg.Client(databaseUrl);
  await admin.connect();
  for (let n = 0; n < 3; n++) {
    await progress(databaseUrl);
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
  }
  await admin.end();
  await whole(databaseUrl, runs, client);
  for (const events of await Promise.all(following)) {
    expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, index) => index));
  }
});

test("while the database is unreachable the health check says so, and runs continue when it is back, also at another address", async () => {
  const home = await mkdtemp(join(tmpdir(), "ensemble-restart-"));
  await chmod(home, 0o755);
  afterAll(() => rm(home, { recursive: true, force: true }));
  let server = await startEmbeddedPostgres(join(home, "data"));
  const proxy = await startProxy(server.url);
  const { client, url } = await start(proxy.url);
  const runs = await tenRuns(client);
  await progress(server.url);

  await server.stop();
  expect(await answers(url)).toBe(503);
  expect((await fetch(`${url}/ok`)).status).toBe(200);
  server = await startEmbeddedPostgres(join(home, "data")); // the server restarts on another port
  onTestFinished(() => server.stop());
  proxy.forward(server.url);
  await untilItAnswers(url);
  await whole(server.url, runs, client);
});

/**
 * Waits until a worker has renewed its lease after the restart of the server, or until its time to do so is almost over. Returns false if
 * the time is over, as on a machine that is very busy.
 */
async function comesBackInTime(db: pg.Client, workerId: string): Promise<boolean> {
  const state = async () => {
    const { rows } = await db.query<{ back: boolean; over: boolean }>(
      `select w.heartbeat_at > pg_postmaster_start_time() as back,
              now() > pg_postmaster_start_time() + make_interval(secs => $2) as over
         from (select $1::uuid as worker_id) asked left join workers w using (worker_id)`,
      [workerId, settledSeconds - 1],
    );
    return rows[0];
  };
  let now = await state();
  await until(async () => {
    now = await state();
    return now?.back || now?.over || false;
  });
  return !now?.over;
}

async function onlyRow(url: string, query: string, values: unknown[]) {
  const db = new pg.Client(url);
  await db.connect();
  const { rows } = await db.query(query, values);
  await db.end();
  return rows[0];
}

test("after a restart of the server a worker that is late to come back keeps its runs", async ({ skip }) => {
  const home = await mkdtemp(join(tmpdir(), "ensemble-restart-"));
  await chmod(home, 0o755);
  afterAll(() => rm(home, { recursive: true, force: true }));
  let server = await startEmbeddedPostgres(join(home, "data"));
  const [near, far] = [await startProxy(server.url), await startProxy(server.url)];
  const lease = { ENSEMBLE_LEASE_SECS: "60" };
  const { client } = await start(near.url, { ...lease, ENSEMBLE_ROLE: "api" });
  await start(far.url, { ...lease, ENSEMBLE_ROLE: "worker" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "blocker", { input: { stepMs: 1 } });
  await client.runs.join(threadId, run.run_id);
  // The step ends long after the restart, also on a busy machine. Its result could otherwise not be stored, and it would be tried again.
  const held = await client.runs.create(threadId, "slow", { input: { until: 1, tickMs: 30_000 } });
  for await (const { event } of client.runs.joinStream(threadId, held.run_id)) if (event === "values") break;
  await start(near.url, { ...lease, ENSEMBLE_ROLE: "worker" });
  const { worker_id: workerId } = await onlyRow(server.url, "select worker_id from runs where run_id = $1", [held.run_id]);

  await server.stop();
  far.refuse();
  await new Promise((resolve) => setTimeout(resolve, 3_500)); // long enough for both workers to count as silent
  server = await startEmbeddedPostgres(join(home, "data"));
  onTestFinished(() => server.stop());
  near.forward(server.url);
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // the other worker checks, and finds a free lock and a silent worker
  far.forward(server.url);

  const db = new pg.Client(server.url);
  await db.connect();
  const isInTime = await comesBackInTime(db, workerId);
  expect(await client.runs.join(threadId, held.run_id)).toMatchObject({ ticks: 1 });
  const { rows } = await db.query("select attempt, crashes from runs where run_id = $1", [held.run_id]);
  await db.end();
  if (!isInTime) skip("This machine is too busy: the worker came back after its time was over.");
  expect(rows).toEqual([{ attempt: 1, crashes: 0 }]);
});

test("a worker without network gives its runs up, another worker continues them, and nothing is written twice", async () => {
  const databaseUrl = await createDatabase();
  const proxy = await startProxy(databaseUrl);
  await start(proxy.url, { ENSEMBLE_ROLE: "worker" });
  const { client } = await start(databaseUrl, { ENSEMBLE_ROLE: "api" });
  const runs = await tenRuns(client);
  await progress(databaseUrl);
  proxy.swallow();
  await start(databaseUrl, { ENSEMBLE_ROLE: "worker" });
  for (const { thread_id, run_id } of runs) expect(await client.runs.join(thread_id, run_id)).toMatchObject({ ticks: 20 });
  proxy.forward();
  const db = new pg.Client(databaseUrl);
  await db.connect();
  const steps = await db.query(
    "select run_id, metadata ->> 'step' from checkpoints where checkpoint_ns = '' group by 1, 2 having count(*) > 1",
  );
  const order = await db.query(`
    select a.run_id from checkpoints a join checkpoints b on a.run_id = b.run_id and a.checkpoint_id < b.checkpoint_id
     where (a.metadata ->> 'run_attempt')::int > (b.metadata ->> 'run_attempt')::int`);
  await db.end();
  expect([steps.rows, order.rows]).toEqual([[], []]);
});

test("a worker that cannot renew its lease for two thirds of it stops its nodes before another worker takes over", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ensemble-journal-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const journal = join(folder, "journal");
  const databaseUrl = await createDatabase();
  const proxy = await startProxy(databaseUrl);
  await start(proxy.url, { ENSEMBLE_ROLE: "worker" });
  const { client } = await start(databaseUrl, { ENSEMBLE_ROLE: "api" });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "relay", { input: { steps: 1, stepMs: 6_000 }, config: { configurable: { journal } } });
  const lines = async () =>
    (await readFile(journal, "utf8").catch(() => ""))
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await until(async () => (await lines()).length > 0);
  proxy.swallow();
  await start(databaseUrl, { ENSEMBLE_ROLE: "worker" });
  await client.runs.join(threadId, run.run_id);
  proxy.forward();
  expect((await lines()).map(({ attempt, what }) => `${attempt} ${what}`)).toEqual(["1 begin 0", "2 begin 0", "2 end 0"]);
});

test("a run whose worker never got the answer to its claim is given back and runs", async () => {
  const databaseUrl = await createDatabase();
  const proxy = await startProxy(databaseUrl);
  await start(proxy.url, { ENSEMBLE_ROLE: "worker" });
  const { client } = await start(databaseUrl, { ENSEMBLE_ROLE: "api" });
  const { thread_id: threadId } = await client.threads.create();
  const lost = proxy.loseAnswerWith("lost on its way");
  const run = await client.runs.create(threadId, "slow", { input: { until: 1, tickMs: 10, name: "lost on its way" } });
  await lost;
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ ticks: 1 });
  const db = new pg.Client(databaseUrl);
  await db.connect();
  const { rows } = await db.query("select status, attempt, crashes from runs where run_id = $1", [run.run_id]);
  await db.end();
  expect(rows).toEqual([{ status: "success", attempt: 2, crashes: 0 }]);
});

test("connections that the network drops silently are given up, and runs continue on new connections", async () => {
  const databaseUrl = await createDatabase();
  const proxy = await startProxy(databaseUrl);
  const { client, url } = await start(proxy.url, { DATABASE_QUERY_TIMEOUT_SECS: "1", ENSEMBLE_LEASE_SECS: "30" });
  const runs = await tenRuns(client);
  await progress(databaseUrl);
  proxy.abandon();
  await untilItAnswers(url);
  await whole(databaseUrl, runs, client);
});

test("a disk that is full for a while costs time, not runs", async () => {
  const databaseUrl = await createDatabase();
  const { client } = await start(databaseUrl);
  const db = new pg.Client(databaseUrl);
  await db.connect();
  await db.query(`create function no_room() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`);
  await db.query("create trigger full_disk before insert on checkpoints execute function no_room()");
  const runs = await tenRuns(client);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await client.runs.get(runs[0]!.thread_id, runs[0]!.run_id)).status).toMatch(/pending|running/);
  const { rows } = await db.query("select max(attempt) as attempts from runs");
  expect(rows[0].attempts).toBeLessThan(10); // the worker does not retry in a tight loop
  await db.query("drop trigger full_disk on checkpoints");
  await db.end();
  await whole(databaseUrl, runs, client);
});

test("a server without a free connection is asked again until it has one", async () => {
  const databaseUrl = await createDatabase();
  const url = new URL(databaseUrl);
  const places = 12;
  const name = url.pathname.slice(1);
  const admin = new pg.Client(databaseUrl);
  await admin.connect();
  const owner = decodeURIComponent(url.username);
  await admin.query(`create role ${name} login password 'few' connection limit ${places}; grant "${owner}" to ${name}`);
  Object.assign(url, { username: name, password: "few" });
  onTestFinished(async () => {
    await admin.query(`drop role ${name}`);
    await admin.end();
  });
  const { client, url: service } = await start(url.href);
  const runs = await tenRuns(client);

  // Cuts all connections of the service until another client occupies all connection slots.
  const others: pg.Client[] = [];
  while (others.length < places) {
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1 and application_name <> ''", [name]);
    const wanted = Array.from({ length: places - others.length }, () => new pg.Client(url.href));
    const got = await Promise.allSettled(wanted.map((other) => other.connect()));
    others.push(...wanted.filter((_, index) => got[index]?.status === "fulfilled"));
  }
  for (const _ of [1, 2, 3]) {
    expect(await answers(service)).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await Promise.all(others.map((other) => other.end()));

  await untilItAnswers(service);
  await whole(databaseUrl, runs, client);
});

test("a pool of one connection is slow, but enough", async () => {
  const { client } = await start(await createDatabase(), { DATABASE_POOL_SIZE: "1" });
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => client.runs.wait(null, "steps", { input: {} })));
  expect(outcomes).toHaveLength(20);
});
