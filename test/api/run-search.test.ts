import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { systemAssistantId } from "../../src/db/ids.ts";
import { until } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, db, fetch } = await startTestService();

interface Found extends Record<string, unknown> {
  run_id: string;
  thread_id: string;
  status: string;
}

const post = (body: object, init: RequestInit = {}) =>
  fetch("/runs/search", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...init });

async function search(body: object): Promise<Found[]> {
  const response = await post(body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as Found[];
}
const idsOf = (runs: Found[]) => runs.map(({ run_id }) => run_id);

/** Runs a graph on a new thread. Returns the run's ids. */
async function run(graph: string, { input = {}, ...more }: { input?: object; metadata?: Record<string, unknown> } = {}) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, graph, { input: {}, ...more });
  await client.runs.join(threadId, runId);
  return { threadId, runId };
}

/** Stores runs that have ended, and returns their thread. The nth run was created n minutes after `since`. */
async function insertEnded(amount: number, since: Date, { metadata = {}, error }: { metadata?: object; error?: object } = {}) {
  await client.assistants.search({ limit: 1 });
  const threadId = (await client.threads.create()).thread_id;
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, status, multitask_strategy, metadata, kwargs, events_kept_secs, created_at, updated_at, ended_at, error)
     select gen_random_uuid(), $2, $3, case when $6::json is null then 'success' else 'error' end::run_status, 'enqueue', $5, '{}', 1,
            $4::timestamptz + make_interval(mins => n), $4::timestamptz + make_interval(days => 1, mins => -n), now(), $6
       from generate_series(1, $1::integer) n`,
    [amount, threadId, systemAssistantId("steps"), since, metadata, error ?? null],
  );
  return threadId;
}

test("runs of all threads are found, the newest first, with what a list of runs needs", async () => {
  const first = await run("steps", { metadata: { topic: "rivers" } });
  const second = await run("fails");
  const found = await search({ limit: 2 });
  expect(idsOf(found)).toEqual([second.runId, first.runId]);
  const [failed, succeeded] = found;
  const listed = await client.runs.get(first.threadId, first.runId);
  expect(succeeded).toMatchObject({ ...listed, graph_id: "steps", attempt: 1, worker_id: null, error: null });
  expect(failed).toMatchObject({ status: "error", graph_id: "fails", thread_id: second.threadId, error: { message: expect.any(String) } });
  const at = (field: string) => Date.parse(String(succeeded?.[field]));
  expect(at("due_at")).toBeLessThanOrEqual(at("started_at"));
  expect(succeeded?.duration_ms).toBeCloseTo(at("ended_at") - at("started_at"), -1);
});

test("a running run shows its worker and how long it has run, a run for later has no duration yet", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const endless = { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 } };
  const { run_id: runId } = await client.runs.create(threadId, "slow", endless);
  onTestFinished(() => client.runs.cancel(threadId, runId, true));
  const { run_id: laterId } = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600, multitaskStrategy: "enqueue" });
  await until(async () => (await client.runs.get(threadId, runId)).status === "running");
  const [running] = await search({ status: "running", thread_id: threadId });
  expect(running).toMatchObject({ run_id: runId, attempt: 1, worker_id: expect.stringMatching(/^[\da-f-]{36}$/), ended_at: null });
  expect(running?.duration_ms).toBeGreaterThanOrEqual(0);
  expect(await search({ status: "pending", thread_id: threadId })).toMatchObject([
    { run_id: laterId, attempt: 0, worker_id: null, started_at: null, duration_ms: null },
  ]);
  expect(idsOf(await search({ status: ["pending", "running"], thread_id: threadId }))).toEqual([laterId, runId]);
  await client.runs.cancel(threadId, laterId);
});

test("runs are found by status, graph, assistant, thread, metadata and error text", async () => {
  const mark = randomUUID();
  const ok = await run("steps", { metadata: { mark, deep: { list: [1, 2] } } });
  const failed = await run("fails", { metadata: { mark } });
  const { error } = (await search({ thread_id: failed.threadId }))[0] as unknown as { error: { error: string; message: string } };
  const cases: [filter: object, expected: string[]][] = [
    [{}, [failed.runId, ok.runId]],
    [{ status: "error" }, [failed.runId]],
    [{ status: ["error", "success"] }, [failed.runId, ok.runId]],
    [{ status: ["interrupted", "timeout"] }, []],
    [{ status: [] }, []],
    [{ graph_id: "steps" }, [ok.runId]],
    [{ graph_id: "nobody" }, []],
    [{ assistant_id: "fails" }, [failed.runId]],
    [{ assistant_id: systemAssistantId("steps") }, [ok.runId]],
    [{ thread_id: ok.threadId }, [ok.runId]],
    [{ metadata: { mark, deep: { list: [2] } } }, [ok.runId]],
    [{ error: error.message.slice(1, 8).toUpperCase() }, [failed.runId]],
    [{ error: error.error }, [failed.runId]],
    [{ error: error.message, status: ["success", "error"] }, [failed.runId]],
    [{ error: error.message, status: "success" }, []],
    [{ error: "%" }, []],
  ];
  for (const [filter, expected] of cases)
    expect({ filter, found: idsOf(await search({ metadata: { mark }, ...filter })) }).toEqual({ filter, found: expected });
});

test("an error or metadata with a NUL can be searched too", async () => {
  const mark = randomUUID();
  await insertEnded(1, new Date(), { metadata: { mark, "a\u0000": "b\ud800" }, error: { error: "Error", message: "one\u0000two" } });
  expect(await search({ metadata: { mark }, error: "TWO" })).toMatchObject([{ error: { message: "one\u0000two" } }]);
});

test("runs are found by the times of their creation and last change, in both orders", async () => {
  const mark = randomUUID();
  const since = new Date("2020-01-01T00:00:00Z");
  const minute = (n: number) => new Date(since.getTime() + n * 60_000).toISOString();
  await insertEnded(20, since, { metadata: { mark } });
  const times = async (filter: object, field = "created_at") =>
    (await search({ metadata: { mark }, limit: 100, ...filter })).map((one) => one[field]);
  expect(await times({ created_since: minute(5), created_until: minute(8) })).toEqual([minute(7), minute(6), minute(5)]);
  expect(await times({ created_until: minute(3), sort_order: "asc" })).toEqual([minute(1), minute(2)]);
  expect(await times({ created_since: "2020-01-01T02:19:00+02:00" })).toEqual([minute(20), minute(19)]);
  expect(await times({ updated_since: minute(1_440 - 2) })).toEqual([minute(2), minute(1)]);
  const earliest = { updated_until: minute(1_440 - 18), sort_by: "updated_at" };
  expect(await times(earliest, "updated_at")).toEqual([minute(1_421), minute(1_420)]);
  expect((await times({ sort_by: "updated_at" }))[0]).toBe(minute(1));
});

test("pages follow each other without a gap, and the headers say how many runs there are", async () => {
  const mark = randomUUID();
  await insertEnded(25, new Date(), { metadata: { mark } });
  const seen: string[] = [];
  for (let next: string | null = "0"; next !== null; ) {
    const response = await post({ metadata: { mark }, limit: 10, offset: Number(next), select: ["run_id"] });
    expect(response.headers.get("x-pagination-total")).toBe("25");
    const rows = (await response.json()) as Found[];
    expect(Object.keys(rows[0] ?? {})).toEqual(["run_id"]);
    seen.push(...idsOf(rows));
    next = response.headers.get("x-pagination-next");
  }
  expect(new Set(seen).size).toBe(25);
});

test("large inputs do not get into a page that does not select them, and end a page that does", async () => {
  const mark = randomUUID();
  const { thread_id: threadId } = await client.threads.create();
  for (let n = 0; n < 2; n++)
    await client.runs.create(threadId, "steps", { input: { text: "x".repeat(5_000_000) }, metadata: { mark }, afterSeconds: 3_600 });
  const small = await post({ metadata: { mark }, select: ["run_id", "status"] });
  expect((await small.text()).length).toBeLessThan(1_000);
  expect(small.headers.get("x-pagination-next")).toBeNull();
  const large = await post({ metadata: { mark } });
  expect([((await large.json()) as Found[]).length, large.headers.get("x-pagination-next")]).toEqual([1, "1"]);
  await client.threads.delete(threadId);
});

test("a run without a thread is found while its thread exists", async () => {
  const mark = randomUUID();
  const { run_id: runId } = await client.runs.create(null, "steps", { input: {}, metadata: { mark }, afterSeconds: 3_600 });
  expect(idsOf(await search({ metadata: { mark } }))).toEqual([runId]);
});

test("a client that leaves during a search costs nobody else anything", async () => {
  const leaving = Array.from({ length: 20 }, async (_, n) => {
    const gone = new AbortController();
    setTimeout(() => gone.abort(), n);
    await post({ limit: 1_000 }, { signal: gone.signal }).then(
      (response) => response.body?.cancel(),
      () => {},
    );
  });
  await Promise.all(leaving);
  expect((await post({})).status).toBe(200);
});
