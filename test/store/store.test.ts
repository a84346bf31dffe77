import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client } = await startTestService();

interface Item {
  namespace: string[];
  key: string;
  value: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
}

/** Executes a run that makes these calls on the store, and returns their results. */
const use = async (...calls: object[]) => {
  const { results } = (await client.runs.wait(null, "storing", { input: { calls } })) as { results: unknown[] };
  return results;
};
const put = (path: string, key: string, value: object) => ({ put: path.split("/"), key, value });
const get = (path: string, key: string) => ({ get: path.split("/"), key });
const found = async (path: string[], options: object = {}) => {
  const [items] = await use({ search: path, options });
  return (items as Item[]).map(({ key }) => key);
};

test("an item that one run puts is read unchanged by another run until it is replaced or deleted", async () => {
  const value = { text: "a\u0000b \ud800 ü", list: [1, { deep: null }] };
  await use(put("a/b", "k", { old: true }), put("a/b", "k", value));
  const [item, none, elsewhere] = (await use(get("a/b", "k"), get("a/b", "other"), get("a", "k"))) as Item[];
  expect(item).toMatchObject({ namespace: ["a", "b"], key: "k", value, createdAt: expect.any(String), updatedAt: expect.any(String) });
  expect([none, elsewhere]).toEqual([null, null]);
  expect(await use({ delete: ["a", "b"], key: "k" }, get("a/b", "k"), { delete: ["a", "b"], key: "k" })).toEqual([null, null, null]);
});

test("a search sees what is under its path, and not its neighbours of a similar name", async () => {
  await use(put("user/1", "one", {}), put("user/1/notes", "deep", {}), put("user/10", "ten", {}), put("user", "all", {}));
  await use(put("user:1", "colon", {}), put("us_r/1", "wild", {}));
  expect((await found(["user", "1"])).toSorted()).toEqual(["deep", "one"]);
  expect((await found(["user"])).toSorted()).toEqual(["all", "deep", "one", "ten"]);
  expect(await found(["user", "2"])).toEqual([]);
});

test("a search filters by fields, and compares numbers with numbers", async () => {
  await use(
    put("f", "young", { age: 9, tags: { kind: "a" } }),
    put("f", "old", { age: 70, tags: { kind: "b" } }),
    put("f", "text", { age: "40" }),
  );
  expect(await found(["f"], { filter: { age: 9 } })).toEqual(["young"]);
  expect(await found(["f"], { filter: { tags: { kind: "b" } } })).toEqual(["old"]);
  expect(await found(["f"], { filter: { age: { $gt: 9 } } })).toEqual(["old"]);
  expect((await found(["f"], { filter: { age: { $gte: 9, $lt: 100 } } })).toSorted()).toEqual(["old", "young"]);
  expect((await found(["f"], { filter: { age: { $ne: 9 } } })).toSorted()).toEqual(["old", "text"]);
  await expect(found(["f"], { filter: { age: { $near: 9 } } })).rejects.toThrow('"$near" is none of them');
});

test("a query lists items by the words that they share with it, and without a query the latest item comes first", async () => {
  await use(put("q", "rivers", { text: "Rivers run to the sea" }), put("q", "seas", { text: "The SEA is salty" }));
  await use(put("q", "hills", { text: "Hills stand" }));
  expect(await found(["q"], { query: "which rivers reach the sea?" })).toEqual(["rivers", "seas"]);
  expect(await found(["q"], { query: "hills" })).toEqual(["hills"]);
  expect(await found(["q"], { query: "text of a saga" })).toEqual([]);
  expect(await found(["q"], { query: "' or true --" })).toEqual([]);
  expect((await found(["q"]))[0]).toBe("hills");
  expect(await found(["q"], { limit: 1, offset: 1, query: "sea rivers" })).toEqual(["seas"]);
});

test("namespaces are listed by how they begin and end, and cut off at a depth", async () => {
  await use(put("n/x/notes", "k", {}), put("n/y/notes", "k", {}), put("n/y/facts", "k", {}), put("m", "k", {}));
  const list = async (options: object) => (await use({ list: options }))[0];
  expect(await list({ prefix: ["n"], suffix: ["notes"] })).toEqual([
    ["n", "x", "notes"],
    ["n", "y", "notes"],
  ]);
  expect(await list({ prefix: ["n"], maxDepth: 2 })).toEqual([
    ["n", "x"],
    ["n", "y"],
  ]);
  expect(await list({ prefix: ["n", "*", "facts"] })).toEqual([["n", "y", "facts"]]);
  expect(await list({ prefix: ["n"], maxDepth: 2, limit: 1, offset: 1 })).toEqual([["n", "y"]]);
});
