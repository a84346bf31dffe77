import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();
const project = await makeProject({
  "langgraph.json": {
    graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` },
    store: { index: { dims: 256, embed: "openai:text-embedding-3-small", fields: ["text"] } },
  },
});
const indexed = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const { store } = client;

/** Executes a run that makes these calls on the store, and returns their results. */
const use = async (...calls: object[]) => {
  const { results } = (await client.runs.wait(null, "storing", { input: { calls } })) as { results: unknown[] };
  return results;
};
const keysOf = ({ items }: { items: { key: string }[] }) => items.map(({ key }) => key);

test("an item is put, read as it was, put anew and deleted", async () => {
  const value = { text: "a\u0000b \ud800 ü", list: [1, { deep: null }], ...JSON.parse('{"__proto__": {"constructor": 1}}') };
  await store.putItem(["a", "b"], "k", { old: true });
  await store.putItem(["a", "b"], "k", value);
  const item = await store.getItem(["a", "b"], "k");
  expect(item).toMatchObject({ namespace: ["a", "b"], key: "k", value, createdAt: expect.stringMatching(/^\d{4}-.*Z$/) });
  expect(JSON.stringify(item?.value)).toBe(JSON.stringify(value));
  expect(await store.getItem(["a"], "k")).toBeNull();
  await store.deleteItem(["a", "b"], "k");
  await store.deleteItem(["a", "b"], "k");
  expect(await (await fetch("/store/items?namespace=a.b&key=k")).text()).toBe("null");
});

test("clients of the API and graphs see each other's items", async () => {
  await store.putItem(["shared"], "outside", { from: "a caller" });
  const [seen] = await use({ get: ["shared"], key: "outside" }, { put: ["shared"], key: "inside", value: { from: "a graph" } });
  expect(seen).toMatchObject({ value: { from: "a caller" } });
  expect(await store.getItem(["shared"], "inside")).toMatchObject({ value: { from: "a graph" } });
});

test("a search finds what is under a path and fits the filter, the latest first, in pages", async () => {
  for (const age of [9, 40, 70]) await store.putItem(["people", `at-${age}`], "k", { age, tags: { odd: age % 2 === 1 } });
  await store.putItem(["people-of-old"], "k", { age: 700 });
  const namespaces = async (options?: Parameters<typeof store.searchItems>[1]) =>
    (await store.searchItems(["people"], options)).items.map(({ namespace }) => namespace.at(-1));
  expect(await namespaces()).toEqual(["at-70", "at-40", "at-9"]);
  expect(await namespaces({ limit: 1, offset: 1 })).toEqual(["at-40"]);
  expect(await namespaces({ filter: { age: { $gte: 9, $lt: 70 } } })).toEqual(["at-40", "at-9"]);
  expect(await namespaces({ filter: { tags: { odd: true } } })).toEqual(["at-9"]);
  expect(await namespaces({ filter: { name: { $ne: "nobody" } } })).toHaveLength(3);
  await expect(store.searchItems(["people"], { filter: { age: { $near: 9 } } })).rejects.toThrow("HTTP 422: A filter knows $eq");
});

test("without an index a query finds what shares words with it, with a score", async () => {
  await store.putItem(["words"], "rivers", { text: "Rivers run to the sea" });
  await store.putItem(["words"], "seas", { text: "The SEA is salty" });
  await store.putItem(["words"], "hills", { text: "Hills stand" });
  const found = await store.searchItems(["words"], { query: "which rivers reach the sea?" });
  expect(keysOf(found)).toEqual(["rivers", "seas"]);
  expect(found.items[0]?.score).toBeGreaterThan(found.items[1]?.score ?? 1);
});

test("namespaces are listed by how they begin and end, and cut off at a depth", async () => {
  for (const path of ["n.x.notes", "n.y.notes", "n.y.facts", "m"]) await store.putItem(path.split("."), "k", {});
  expect(await store.listNamespaces({ prefix: ["n"], suffix: ["notes"] })).toEqual({
    namespaces: [
      ["n", "x", "notes"],
      ["n", "y", "notes"],
    ],
  });
  expect(await store.listNamespaces({ prefix: ["n", "*"], maxDepth: 2, limit: 1, offset: 1 })).toEqual({ namespaces: [["n", "y"]] });
});

test("with an index and no endpoint, the rehearsal model says what is near, to callers and graphs alike", async () => {
  const { store } = indexed.client;
  await store.putItem(["notes"], "rivers", { text: "Rivers run to the sea" });
  await store.putItem(["notes"], "hills", { text: "The hills are high" });
  await store.putItem(["notes"], "silent", { title: "no text to be found by" });
  const query = "a river that is running";
  const { items } = await store.searchItems(["notes"], { query });
  expect(keysOf({ items })).toEqual(["rivers", "hills"]);
  const calls = [{ search: ["notes"], options: { query } }];
  const { results } = (await indexed.client.runs.wait(null, "storing", { input: { calls } })) as { results: unknown[] };
  expect(results).toMatchObject([items.map(({ key, score }) => ({ key, score }))]);
  // must not be mixed up with vectors of the real model
  const { rows } = await indexed.db.query("select distinct index_name from store_vectors");
  expect(rows).toEqual([{ index_name: "rehearsal/256" }]);
});
