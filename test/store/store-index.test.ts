import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/**
 * Returns how many texts the embedding function of the test graphs has embedded. The project loads another copy of its module, so the count
 * is global.
 */
const embeddedTexts = () => Number(Reflect.get(globalThis, Symbol.for("test.embedded")) ?? 0);

const graphs = { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` };
const module = `${import.meta.dirname}/../graphs/embeddings.ts`;
const index = { dims: 3, embed: `${module}:embed`, fields: ["text", "parts[*].text"] };
const project = await makeProject({ "langgraph.json": { graphs, store: { index } } });
const { client, db, databaseUrl, fetch } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const { store } = client;
/** A second API on the same items, whose langgraph.json names another model. */
const changed = await makeProject({ "langgraph.json": { graphs, store: { index: { ...index, embed: `${module}:embeddings` } } } });
const another = await startTestService({
  ENSEMBLE_CONFIG: `${changed}/langgraph.json`,
  DATABASE_URL: databaseUrl,
  ENSEMBLE_ROLE: "api",
});

const use = async (...calls: object[]) => {
  const { results } = (await client.runs.wait(null, "storing", { input: { calls } })) as { results: unknown[] };
  return results;
};
type Found = { key: string; score?: number }[];
const search = async (namespace: string, query: string, options: object = {}): Promise<Found> =>
  (await store.searchItems([namespace], { query, ...options })).items;
const keys = (found: Found) => found.map(({ key }) => key);

test("a query finds items by what they mean, the nearest first, with the cosine as score", async () => {
  await store.putItem(["land"], "water", { text: "river" });
  await store.putItem(["land"], "height", { text: "mountain" });
  await store.putItem(["land"], "plants", { text: "forest" });
  const found = await search("land", "a stream");
  expect(keys(found)).toEqual(["water", "plants", "height"]);
  expect(found[0]?.score).toBeCloseTo(0.9 / Math.hypot(0.9, 0.1), 6);
  expect(keys(await search("land", "stream", { limit: 1, offset: 1 }))).toEqual(["plants"]);
  expect((await store.searchItems(["land"])).items[0]).not.toHaveProperty("score");
});

test("graphs search by meaning too, in what callers put and in what they put themselves", async () => {
  await store.putItem(["both"], "caller", { text: "hill" });
  const put = { put: ["both"], key: "graph", value: { text: "sea" } };
  const [, found] = (await use(put, { search: ["both"], options: { query: "river" } })) as [unknown, Found];
  expect(found).toMatchObject([{ key: "graph", score: expect.any(Number) }, { key: "caller" }]);
});

test("a page of a search by meaning ends before it is too large, goes on behind it, and embeds the query once", async () => {
  const more = "x".repeat(1_000_000);
  for (let n = 0; n < 10; n++) await store.putItem(["large"], `${n}`, { text: n % 2 ? "river" : "stream", more });
  const seen: string[] = [];
  let pages = 0;
  for (let offset: string | null = "0"; offset !== null; pages++) {
    const embeddedBefore = embeddedTexts();
    const body = JSON.stringify({ namespace_prefix: ["large"], query: "river", limit: 1_000, offset: Number(offset) });
    const response: Response = await fetch("/store/items/search", { method: "POST", body });
    const { items } = (await response.json()) as { items: Found };
    seen.push(...keys(items));
    expect(embeddedTexts() - embeddedBefore).toBe(1);
    offset = response.headers.get("x-pagination-next");
  }
  expect([seen, pages]).toEqual([["1", "3", "5", "7", "9", "0", "2", "4", "6", "8"], 2]);
});

test("an item is as near as the nearest of its fields", async () => {
  await store.putItem(["parts"], "one", { text: "mountain", parts: [{ text: "forest" }, { text: "river" }, { none: 1 }] });
  await store.putItem(["parts"], "other", { text: "stream" });
  const found = await search("parts", "river");
  expect(keys(found)).toEqual(["one", "other"]);
  expect(found[0]?.score).toBeCloseTo(1, 6);
});

test("a put names its own fields, or none by which it is found", async () => {
  await store.putItem(["own"], "title", { text: "river", title: "mountain" }, { index: ["title"] });
  await store.putItem(["own"], "hidden", { text: "mountain" }, { index: false });
  await store.putItem(["own"], "whole", { a: { b: "mountain" } }, { index: ["$"] });
  await use({ put: ["own"], key: "node", value: { text: "river", title: "hill" }, index: ["title"] });
  await use({ put: ["own"], key: "hidden-node", value: { text: "mountain" }, index: false });
  expect(keys(await search("own", "mountain"))).toEqual(["title", "whole", "node"]);
  expect(await store.getItem(["own"], "hidden")).toMatchObject({ value: { text: "mountain" } });
  await expect(store.putItem(["own"], "wrong", {}, { index: ["a[b"] })).rejects.toThrow('HTTP 422: "a[b" is no field to embed');
});

test("a search keeps to its path, its filter and what is alive", async () => {
  await store.putItem(["kept", "a"], "river", { text: "river", kind: 1 });
  await store.putItem(["kept", "b"], "sea", { text: "sea", kind: 2 }, { ttl: 10 });
  await store.putItem(["keptout"], "stream", { text: "stream", kind: 1 });
  expect(keys(await search("kept", "river"))).toEqual(["river", "sea"]);
  expect(keys(await search("kept", "river", { filter: { kind: { $gt: 1 } } }))).toEqual(["sea"]);
  await db.query("update store_items set expires_at = now() - interval '1 minute' where key = 'sea'");
  expect(keys(await search("kept", "river"))).toEqual(["river"]);
});

test("a new value is found by what it means now, also when the previous release put it", async () => {
  await store.putItem(["changed"], "k", { text: "river", parts: [{ text: "sea" }] });
  await store.putItem(["changed"], "k", { text: "mountain" });
  expect(await search("changed", "hill")).toMatchObject([{ key: "k", value: { text: "mountain" }, score: expect.closeTo(0.97, 2) }]);
  expect((await search("changed", "river"))[0]?.score).toBeCloseTo(0, 6);
  await db.query(`insert into store_items (namespace, key, value) values ('{changed}', 'k', '{"text": "sea"}')
                  on conflict (namespace, key) do update set value = excluded.value, updated_at = now()`);
  expect(await search("changed", "hill")).toEqual([]);
  await store.deleteItem(["changed"], "k");
  expect((await db.query("select from store_vectors where namespace = '{changed}'")).rowCount).toBe(0);
});

test("after simultaneous puts of one item its vectors match the value that won", async () => {
  const texts = ["river", "mountain", "forest"];
  for (let round = 0; round < 5; round++) {
    await Promise.all([...texts, ...texts].map((text) => store.putItem(["race"], "k", { text, parts: Array(round).fill({ text }) })));
    const won = (await store.getItem(["race"], "k"))?.value.text as string;
    expect(await search("race", won)).toMatchObject([{ score: expect.closeTo(1, 6) }]);
    expect((await db.query("select from store_vectors where namespace = '{race}'")).rowCount).toBe(round + 1);
  }
});

test.each([
  ["an outage", "outage", 502, "The embedding model failed."],
  ["a text that the model refuses", "too long", 422, "The embedding model refused the text with status 400."],
  ["vectors of another length", "short vector", 502, "The embedding model made vectors of 2 dimensions where store.index.dims says 3."],
  ["vectors that are no numbers", "not numbers", 502, "The embedding model answered 1 texts with something other"],
  ["too few vectors", "too few", 502, "The embedding model answered 1 texts with something other"],
])("%s is told, and nothing is stored", async (_, text, status, sentence) => {
  await expect(store.putItem(["failed"], "k", { text })).rejects.toThrow(`HTTP ${status}: ${sentence}`);
  await expect(use({ put: ["failed"], key: "k", value: { text } })).rejects.toThrow(sentence);
  await expect(search("failed", text)).rejects.toThrow(`HTTP ${status}: ${sentence}`);
  expect(await store.getItem(["failed"], "k")).toBeNull();
  await store.putItem(["failed"], "unindexed", { text }, { index: false });
});

test("an item of too many texts is refused", async () => {
  const value = { parts: Array(101).fill({ text: "sea" }) };
  await expect(store.putItem(["many"], "k", value)).rejects.toThrow(
    "HTTP 422: The fields to embed are 101 texts in this item; 100 are the most.",
  );
});

test("items of another index are missing only in queries, until they are put again", async () => {
  await store.putItem(["models"], "old", { text: "river" });
  const { store: theirs } = another.client;
  await theirs.putItem(["models"], "new", { text: "sea" });
  const found = async () => keys((await theirs.searchItems(["models"], { query: "river" })).items);
  expect(await found()).toEqual(["new"]);
  expect(keys((await theirs.searchItems(["models"])).items)).toEqual(["new", "old"]);
  const { value } = (await theirs.getItem(["models"], "old")) ?? { value: {} };
  await theirs.putItem(["models"], "old", value);
  expect(await found()).toEqual(["old", "new"]);
});

/** A project whose embedding function reads vectors from the texts. They have 256 numbers that hardly differ. */
const spelled = await makeProject({
  "langgraph.json": { graphs, store: { index: { dims: 256, embed: "./embed.ts:embed", fields: ["text"] } } },
  "embed.ts": "export const embed = async (texts: string[]) => texts.map((text) => JSON.parse(text));",
});
const alike = () => Array.from({ length: 256 }, () => 1 / 16 + (Math.random() - 0.5) / 10);
const toUnit = (vector: number[]) => {
  const length = Math.hypot(...vector);
  return vector.map((number) => number / length);
};
const cosine = (one: number[], other: number[]) => one.reduce((sum, number, at) => sum + number * (other[at] ?? 0), 0);

test("the nearest of thousands that are much alike are found, all of them and in order, at whatever place of the list", async () => {
  const { client: theirs, db: stored } = await startTestService({ ENSEMBLE_CONFIG: `${spelled}/langgraph.json` });
  const vectors = Array.from({ length: 2_600 }, () => toUnit(alike()));
  async function findsAll(): Promise<void> {
    const query = toUnit(alike());
    const all = vectors.map((vector, nth) => ({ key: `k${nth}`, score: cosine(query, vector) })).sort((a, b) => b.score - a.score);
    for (const offset of [0, 10, 2_200, 2_595]) {
      const { items } = await theirs.store.searchItems(["alike"], { query: JSON.stringify(query), limit: 10, offset });
      expect(keys(items)).toEqual(keys(all.slice(offset, offset + 10)));
    }
  }

  const put = (vector: number[], nth: number) => theirs.store.putItem(["alike", `${nth}`], `k${nth}`, { text: JSON.stringify(vector) });
  await Promise.all(vectors.slice(0, 100).map(put));
  const asAnEarlierReleaseStored = `
    with item as (
      insert into store_items (namespace, key, value) select array['alike', 'old'], 'k' || nth, '{}' from generate_series(100, 2599) nth)
    insert into store_vectors (namespace, key, place, index_name, vector, sketch)
    select array['alike', 'old'], 'k' || nth + 99, 1, (select min(index_name) from store_vectors), vector::real[], B'1'
      from unnest($1::text[]) with ordinality given (vector, nth)`;
  await stored.query(asAnEarlierReleaseStored, [vectors.slice(100).map((vector) => `{${vector}}`)]);
  await findsAll();

  const codes = async () => (await stored.query("select code from store_vectors where namespace <> '{alike,old}' order by key")).rows;
  const before = await codes();
  const migration = await readFile(new URL("../../migrations/028_store_codes.sql", import.meta.url), "utf8");
  await stored.query(migration.slice(migration.indexOf("update store_vectors")));
  for (const [nth, { code }] of (await codes()).entries()) {
    const theSame = Int8Array.from(before[nth].code.subarray(8));
    const apart = Int8Array.from(code.subarray(8), (count: number, at) => count - (theSame[at] as number));
    // both ways give the same result, except for values halfway between two steps
    expect(Math.max(...apart.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(code.readFloatBE(4)).toBeCloseTo(before[nth].code.readFloatBE(4), 5);
  }
  for (let round = 0; round < 3; round++) await findsAll();
});

test("thousands of items with the same vector are listed in pages, each item once", async () => {
  await store.putItem(["crowd"], "k", { text: "river" });
  await db.query(`insert into store_items (namespace, key, value) select namespace, key || n, value
                    from store_items, generate_series(1, 5500) n where namespace = '{crowd}'`);
  await db.query(`insert into store_vectors (namespace, key, place, index_name, vector, code) select namespace, key || n, place, index_name, vector, code
                    from store_vectors, generate_series(1, 5500) n where namespace = '{crowd}'`);
  await store.putItem(["crowd"], "near", { text: "stream" });
  const pages = await Promise.all([0, 1_000, 4_990, 5_495].map((offset) => search("crowd", "stream", { limit: 10, offset })));
  expect(keys(pages[0] ?? [])[0]).toBe("near");
  expect(new Set(pages.flatMap(keys)).size).toBe(37);
});

const { rowCount: pgvector } = await db.query("select 1 from pg_available_extensions where name = 'vector'");
/** Most servers lack pgvector, even the embedded one. Then the rest of this file tests plain SQL. */
test.runIf(pgvector)("where the server has pgvector, vectors are compared by it, with the same scores", async () => {
  const { rowCount: isMade } = await db.query("select 1 from pg_extension where extname = 'vector'");
  expect(isMade).toBe(1);
  const { rows } = await db.query(`select key, sum(mine * theirs) as cosine
      from store_vectors, unnest(vector, (select vector from store_vectors where namespace = '{land}' and key = 'water' and index_name like '%:embed/3')) pair (mine, theirs)
     where namespace = '{land}' group by key order by cosine desc`);
  const found = await search("land", "river");
  expect(keys(found)).toEqual(rows.map(({ key }) => key));
  for (const [index, { score = 0 }] of found.entries()) expect(score).toBeCloseTo(rows[index]?.cosine, 5);
});

const startWith = async (store: object, files: Record<string, string> = {}) => {
  const folder = await makeProject({ "langgraph.json": { graphs, store }, ...files });
  return startTestService({ ENSEMBLE_CONFIG: `${folder}/langgraph.json` });
};

test.each([
  ["no dimensions", { index: { embed: "openai:any" } }, "store.index.dims"],
  ["a provider that is none", { index: { ...index, embed: "cohere:embed-v3" } }, 'store.index.embed is "cohere:embed-v3"; it should be'],
  ["a file that is none", { index: { ...index, embed: "./none.ts:embed" } }, 'store.index.embed is "./none.ts:embed"; it should be'],
  ["an export that is none", { index: { ...index, embed: `${module}:nothing` } }, "is neither a function from texts to vectors"],
  ["a field that is none", { index: { ...index, fields: ["a..b"] } }, 'store.index.fields: "a..b" is no field to embed'],
  ["a wrong time", { ttl: { default_ttl: "soon" } }, "store.ttl.default_ttl"],
])("a langgraph.json with %s stops the start with a sentence", async (_, store, sentence) => {
  await expect(startWith(store)).rejects.toThrow(sentence);
});
