import { expect, test } from "vitest";
import { parseJson } from "../../src/http/front/body.ts";
import { createMemory } from "../../src/http/memory.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();

const megabyte = 1024 * 1024;
const post = (path: string, body: object | string) =>
  fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

test("memory is granted in order, and a request larger than the whole limit runs alone", async () => {
  const memory = createMemory(100);
  const first = await memory.take(60);
  const order: string[] = [];
  const noting = async (name: string, taken: Promise<() => void>) => {
    const release = await taken;
    order.push(name);
    return release;
  };
  const all = noting("all", memory.take(1_000));
  const little = noting("little", memory.take(10));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  first();
  first(); // a second call has no effect
  (await all)();
  (await little)();
  expect(order).toEqual(["all", "little"]);
  (await memory.take(100))();
});

test("a body with more values than a million is refused before anything is made of it", async () => {
  expect(() => parseJson(Buffer.from(`[${"[],".repeat(1_000_000)}[]]`))).toThrow("more than 1000000 values");
  expect(() => parseJson(Buffer.from(`[${'"[,{",'.repeat(300_000)}1]`))).not.toThrow();
  expect((await post("/threads", `[${"[],".repeat(1_000_000)}[]]`)).status).toBe(413);
});

test("a page of threads ends before its limit if the next thread would be too large, and the next page begins there", async () => {
  const values = JSON.stringify({ text: "x".repeat(megabyte) });
  await db.query(
    `insert into threads (thread_id, "values", metadata) select gen_random_uuid(), $1, '{"large": 1}' from generate_series(1, 20)`,
    [values],
  );
  const seen = new Set<string>();
  let pages = 0;
  for (let offset: string | null = "0"; offset !== null; pages++) {
    const response: Response = await post("/threads/search", { metadata: { large: 1 }, limit: 1_000, offset: Number(offset) });
    const threads = (await response.json()) as { thread_id: string }[];
    expect(JSON.stringify(threads).length).toBeLessThan(17 * megabyte);
    for (const { thread_id } of threads) seen.add(thread_id);
    offset = response.headers.get("x-pagination-next");
  }
  expect([seen.size, pages]).toEqual([20, 3]);
});

test("an extract of sixty copies of a large state is refused, and of a small value answered", async () => {
  await db.query(`insert into threads (thread_id, "values", metadata) values (gen_random_uuid(), $1, '{"copies": 1}')`, [
    JSON.stringify({ text: "x".repeat(megabyte), n: 1 }),
  ]);
  const copies = (path: string) => Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`alias${n}`, path]));
  const refused = await post("/threads/search", { metadata: { copies: 1 }, extract: copies("values") });
  expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining("extract: what it asks for of one thread")]);
  const answered = await post("/threads/search", { metadata: { copies: 1 }, extract: copies("values.n"), select: ["thread_id"] });
  expect(await answered.json()).toMatchObject([{ extracted: { alias0: 1, alias59: 1 } }]);
});

test("a history ends before a state that would be too large, and continues before the checkpoint that it names", async () => {
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, "slow", { input: { until: 12, tickMs: 0, names: ["x".repeat(2 * megabyte)] } });
  const ids: string[] = [];
  let pages = 0;
  for (let before: string | undefined, more = true; more; pages++) {
    const response = await post(`/threads/${thread_id}/history`, { limit: 1_000, before });
    const states = (await response.json()) as { checkpoint: { checkpoint_id: string } }[];
    ids.push(...states.map(({ checkpoint }) => checkpoint.checkpoint_id));
    before = response.headers.get("x-pagination-next") ?? undefined;
    more = before !== undefined;
  }
  const { rows } = await db.query("select checkpoint_id from checkpoints where thread_id = $1 order by seq desc", [thread_id]);
  expect(ids).toEqual(rows.map(({ checkpoint_id }) => checkpoint_id));
  expect(pages).toBeGreaterThan(1);
});

test("pages of runs, assistants and store items are limited in size", async () => {
  const large = "x".repeat(megabyte);
  const { thread_id } = await client.threads.create();
  for (let n = 0; n < 10; n++) await client.runs.create(thread_id, "steps", { input: { last: large }, afterSeconds: 600 });
  const runs = await fetch(`/threads/${thread_id}/runs?limit=1000`);
  const listed = (await runs.json()) as object[];
  expect(runs.headers.get("x-pagination-next")).toBe(String(listed.length));
  expect(listed.length).toBeLessThan(10);

  for (let n = 0; n < 10; n++) await client.assistants.create({ graphId: "steps", name: "large", context: { large } });
  const assistants = await post("/assistants/search", { name: "large", limit: 1_000 });
  expect(assistants.headers.get("x-pagination-next")).toBe(String(((await assistants.json()) as object[]).length));

  for (let n = 0; n < 10; n++) await client.store.putItem(["large"], `${n}`, { large });
  const items = await post("/store/items/search", { namespace_prefix: ["large"], limit: 1_000 });
  const { items: found } = (await items.json()) as { items: object[] };
  expect(items.headers.get("x-pagination-next")).toBe(String(found.length));
});
