import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { systemAssistantId } from "../../src/db/ids.ts";
import { everything } from "../../src/db/scope.ts";
import { transaction } from "../../src/db/sql.ts";
import { findSpentThreads, type Walk } from "../../src/threads/retention.ts";
import { countThreads, searchThreads, type ThreadSearch } from "../../src/threads/search.ts";
import { claimWebhooks } from "../../src/webhooks/webhooks.ts";
import { countBlocks } from "../count-blocks.ts";
import { startTestService } from "../service.ts";

const { client, db, fetch } = await startTestService({ ENSEMBLE_ROLE: "api" });
afterEach(() => db.query("truncate threads, webhooks cascade"));

const page = { limit: 10, offset: 0 };
const search = async (filter: Partial<ThreadSearch>) => searchThreads(db, everything, { ...page, ...filter });
const idsOf = ({ rows }: { rows: { thread_id: string }[] }) => rows.map(({ thread_id }) => thread_id);

async function insert(values: unknown, { metadata = {}, createdAt = new Date() } = {}): Promise<string> {
  const threadId = randomUUID();
  const text = values === undefined ? null : JSON.stringify(values);
  await db.query(`insert into threads (thread_id, "values", metadata, created_at) values ($1, $2, $3, $4)`, [
    threadId,
    text,
    metadata,
    createdAt,
  ]);
  return threadId;
}

const long = "x".repeat(300);
const manyEntries = Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`entry${n}`, n]));
const documents: [name: string, document: object, filters: object[]][] = [
  [
    "short entries",
    { topic: "rivers", count: 1, done: false, none: null },
    [{ topic: "rivers" }, { count: 1, done: false }, { none: null }],
  ],
  ["words beyond ASCII, quotes and lone surrogates", { topic: 'é "q" \ud800' }, [{ topic: 'é "q" \ud800' }]],
  ["a NUL", { topic: "a\u0000b", other: "c" }, [{ topic: "a\u0000b" }, { other: "c" }]],
  ["a NUL in a key", { "a\u0000b": 1, other: "c" }, [{ other: "c" }]],
  ["a long entry", { long, other: 1 }, [{ long }, { other: 1 }]],
  ["more entries than are marked", manyEntries, [{ entry3: 3 }, { entry69: 69 }, manyEntries]],
  ["entries inside entries", { inner: { topic: "rivers" }, list: [1, 2] }, [{ inner: { topic: "rivers" } }, { list: [2] }]],
  ["megabytes", { topic: "large", text: "y".repeat(1_000_000) }, [{ topic: "large" }]],
];

test.each(documents)("threads are found by their values: %s", async (_, document, filters) => {
  await insert({ topic: "another", count: 2 });
  await insert(undefined);
  const wanted = await insert(document);
  for (const values of filters) {
    expect(idsOf(await search({ values: values as Record<string, unknown> }))).toEqual([wanted]);
    expect(await countThreads(db, everything, { values: values as Record<string, unknown> })).toEqual({ total: 1, isEstimate: false });
  }
});

test("values that the migration has not marked yet are found too", async () => {
  const wanted = await insert({ topic: "rivers" });
  await insert({ topic: "lakes" });
  await db.query("update threads set value_marks = null");
  expect(idsOf(await search({ values: { topic: "rivers" } }))).toEqual([wanted]);
});

test("a page is the same whether many threads match or few, in every order", async () => {
  await db.query(
    `insert into threads (thread_id, metadata, "values", created_at, updated_at)
     select gen_random_uuid(), json_build_object('half', n % 2, 'rare', n % 700), json_build_object('n', n % 3),
            now() - make_interval(secs => n), now() - make_interval(secs => (n * 7) % 3000)
       from generate_series(1, 3000) n`,
  );
  const filters = [
    { metadata: { half: 1 } },
    { metadata: { rare: 5 } },
    { values: { n: 2 } },
    { metadata: { half: 0 }, values: { n: 1 } },
    {},
  ];
  const condition = [
    "metadata ->> 'half' = '1'",
    "metadata ->> 'rare' = '5'",
    `"values" ->> 'n' = '2'`,
    `metadata ->> 'half' = '0' and "values" ->> 'n' = '1'`,
    "true",
  ];
  for (const [index, filter] of filters.entries())
    for (const sort_by of ["created_at", "updated_at", "thread_id"] as const)
      for (const sort_order of ["asc", "desc"] as const)
        for (const offset of [0, 7]) {
          const { rows } = await db.query(
            `select thread_id from threads where ${condition[index]} order by ${sort_by} ${sort_order}, thread_id ${sort_order} limit 10 offset ${offset}`,
          );
          expect(idsOf(await search({ ...filter, sort_by, sort_order, offset }))).toEqual(rows.map(({ thread_id }) => thread_id));
        }
});

test("more than 10,000 threads are estimated, and counted when the exact number is asked for", async () => {
  await db.query("insert into threads (thread_id) select gen_random_uuid() from generate_series(1, 12345)");
  await db.query("analyze threads");
  const post = (path: string, body: object) =>
    fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const headersOf = ({ headers }: Response) => ["total", "total-estimated", "next"].map((name) => headers.get(`x-pagination-${name}`));

  const [total, estimated, next] = headersOf(await post("/threads/search", { limit: 10 }));
  expect([estimated, next]).toEqual(["true", "10"]);
  expect(Number(total)).toBeGreaterThan(10_000);
  expect(headersOf(await post("/threads/search", { limit: 10, exact: true }))).toEqual(["12345", null, "10"]);
  expect(headersOf(await post("/threads/search", { limit: 1_000, offset: 12_000 }))).toEqual(["12345", null, null]);

  const counted = await post("/threads/count", {});
  expect(counted.headers.get("x-pagination-total-estimated")).toBe("true");
  expect(await counted.json()).toBeGreaterThan(10_000);
  const exact = await post("/threads/count", { exact: true });
  expect([await exact.json(), exact.headers.get("x-pagination-total-estimated")]).toEqual([12_345, null]);
});

test("lists show a temporary thread while its run is open, and threads by their status", async () => {
  const { thread_id } = await client.runs.create(null, "steps", { input: {} });
  const resting = await insert({});
  const failed = await insert({});
  await db.query("update threads set resting_status = 'error' where thread_id = $1", [failed]);
  expect(idsOf(await search({})).sort()).toEqual([thread_id, resting, failed].sort());
  expect(idsOf(await search({ status: "busy" }))).toEqual([thread_id]);
  expect(idsOf(await search({ status: "error" }))).toEqual([failed]);
  expect(idsOf(await search({ status: "idle" }))).toEqual([resting]);
  expect(await countThreads(db, everything, { status: "busy" })).toMatchObject({ total: 1 });
  await db.query("update runs set status = 'success', ended_at = now()");
  expect(idsOf(await search({})).sort()).toEqual([resting, failed].sort());
  expect(await countThreads(db, everything, {})).toMatchObject({ total: 2 });
});

test("a walk over temporary threads finds those that are over behind any number that are not, step by step", async () => {
  await client.assistants.search({ limit: 1 });
  await db.query(
    `with made as (
       insert into threads (thread_id, temporary, updated_at) select gen_random_uuid(), true, now() - make_interval(hours => n)
         from generate_series(1, 100) n returning thread_id, updated_at)
     insert into runs (run_id, thread_id, assistant_id, multitask_strategy, metadata, kwargs, events_kept_secs)
     select gen_random_uuid(), thread_id, assistant_id, 'enqueue', '{}', '{}', 1 from made, assistants where graph_id = 'steps'`,
  );
  const { rows } = await db.query(
    "insert into threads (thread_id, temporary) select gen_random_uuid(), true from generate_series(1, 7) returning thread_id",
  );
  const walk: Walk = { step: 30, last: undefined };
  const found: string[][] = [];
  for (let step = 0; step < 4; step++) found.push(await transaction(db, (tx) => findSpentThreads(tx, walk, 200)));
  expect(found.map((ids) => ids.length)).toEqual([0, 0, 0, 7]);
  expect(walk.last).toBeUndefined();
  expect(found[3]?.toSorted()).toEqual(rows.map(({ thread_id }) => thread_id).sort());
  expect(await transaction(db, (tx) => findSpentThreads(tx, { step: undefined, last: undefined }, 5))).toHaveLength(5);
});

test("receivers of webhooks are visited in turn, however many there are and however many webhooks one has pending", async () => {
  await db.query(
    `insert into webhooks (run_id, thread_id, url, host, run)
     select gen_random_uuid(), gen_random_uuid(), 'http://x', case when n <= 3000 then 'busy' else 'host' || n end, '{}' from generate_series(1, 4200) n`,
  );
  await db.query(
    "insert into webhooks (run_id, thread_id, url, host, run) values (gen_random_uuid(), gen_random_uuid(), '/own', '', '{}')",
  );
  const hosts: string[] = [];
  let last: string | undefined;
  for (let claims = 0; claims < 3; claims++) {
    const claimed = await claimWebhooks(db, { new: 10_000, prompt: 32, slow: 32 }, [], last);
    hosts.push(...claimed.deliveries.map(({ host }) => host));
    last = claimed.last;
  }
  expect(last).toBeUndefined();
  expect(hosts).toHaveLength(1_202);
  expect(new Set(hosts).size).toBe(1_202);
});

/** Stores temporary threads, each with a pending run. The nth was created n seconds before `until`. */
const insertWaiting = (amount: number, { metadata = {}, until = new Date(), on = db as Pick<pg.ClientBase, "query">, prefix = "" } = {}) =>
  on.query(
    `${prefix}with made as (
       insert into threads (thread_id, temporary, metadata, created_at)
       select gen_random_uuid(), true, $3, $4::timestamptz - make_interval(secs => n) from generate_series(1, $1::integer) n returning thread_id)
     insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, events_kept_secs)
     select gen_random_uuid(), thread_id, $2, 'steps', 'enqueue', '{}', '{}', 60 from made`,
    [amount, systemAssistantId("steps"), metadata, until],
  );

test.each([
  ["the newest", [{}, { sort_by: "updated_at" }] as const],
  ["the busy", [{ status: "busy" }] as const],
])("a page of %s threads touches as little while 20,000 runs without a thread wait as while 2,000 do", async (_, filters) => {
  const { touched, explained } = await countBlocks(db);
  const measure = async (waiting: number) => {
    await db.query("truncate threads cascade");
    await db.query(
      `insert into threads (thread_id, "values", created_at)
       select gen_random_uuid(), json_build_object('text', repeat('x', 500)), now() - interval '1 day' from generate_series(1, 10000)`,
    );
    await insertWaiting(waiting);
    await db.query("vacuum analyze threads, runs");
    touched.blocks = 0;
    for (const filter of filters) await searchThreads(explained, everything, { ...page, ...filter, limit: 10 });
    return touched.blocks;
  };
  const noise = 1_000; // an index over more rows is one level deeper
  expect(await measure(20_000)).toBeLessThan(3 * (await measure(2_000)) + noise);
});

test("a run is placed at little cost, even by a session that planned while the queue was short", async () => {
  const session = await db.connect();
  onTestFinished(() => session.release());
  const place = async (waiting: number) => {
    await db.query("truncate threads cascade");
    const { rows } = await insertWaiting(waiting, { on: session, prefix: "explain (analyze, buffers, format json) " });
    const { Plan } = Object(rows[0])["QUERY PLAN"][0];
    await db.query("vacuum analyze threads, runs");
    return (Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"]) / waiting;
  };
  await place(2_000); // the next run is placed by a new plan, made while the table is empty
  const [many, few] = [await place(10_000), await place(500)];
  expect(many).toBeLessThan(2 * few);
});

test("a page has the newest matches, even if a thousand other threads are newer and temporary threads match too", async () => {
  const second = Date.now() / 1000;
  const before = (seconds: number) => new Date((second - seconds) * 1000);
  await db.query(
    "insert into threads (thread_id, created_at) select gen_random_uuid(), $1::timestamptz - make_interval(secs => n) from generate_series(1, 1100) n",
    [before(0)],
  );
  const newest = await insert({}, { metadata: { topic: "rivers" }, createdAt: before(2_000) });
  await insertWaiting(20, { metadata: { topic: "rivers" }, until: before(3_000) });
  expect(idsOf(await search({ metadata: { topic: "rivers" }, limit: 1 }))).toEqual([newest]);
  await db.query(
    "insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, events_kept_secs) values ($1, $2, $3, 'steps', 'enqueue', '{}', '{}', 60)",
    [randomUUID(), newest, systemAssistantId("steps")],
  );
  expect(idsOf(await search({ status: "busy", limit: 1 }))).toEqual([newest]);
  expect(await countThreads(db, everything, { status: "busy" })).toEqual({ total: 21, isEstimate: false });
});

test("a claim of webhooks reads about as little with 20,000 pending webhooks as with 2,000", async () => {
  const { touched, explained } = await countBlocks(db);
  const measure = async (pending: number) => {
    await db.query("truncate webhooks");
    await db.query(
      `insert into webhooks (run_id, thread_id, url, host, run)
       select gen_random_uuid(), gen_random_uuid(), 'http://x', 'host' || n % 20, '{}' from generate_series(1, $1::integer) n`,
      [pending],
    );
    await db.query("vacuum analyze webhooks");
    touched.blocks = 0;
    await claimWebhooks(explained, { new: 10, prompt: 32, slow: 32 }, [], undefined);
    return touched.blocks;
  };
  expect(await measure(20_000)).toBeLessThan(2 * (await measure(2_000)));
});
