import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();
const { store } = client;

const send = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: response.status, text: await response.text() };
};
const item = { namespace: ["a"], key: "k", value: {} };
const labels = "Namespace labels cannot be empty or contain periods. Received: ";
/** Returns text that Postgres cannot compress. */
const long = (bytes: number) => randomBytes(bytes).toString("base64url").slice(0, bytes);

/** The request, its body, the status, and the start of the answer. */
const refusals: [what: string, route: string, body: unknown, status: number, sentence: string][] = [
  ["no namespace", "PUT /store/items", { ...item, namespace: [] }, 400, "Namespace is required"],
  ["a label with a dot", "PUT /store/items", { ...item, namespace: ["a.b"] }, 422, `${labels}a.b`],
  ["an empty label", "PUT /store/items", { ...item, namespace: ["a", ""] }, 422, `${labels}a.`],
  [
    "too many labels",
    "PUT /store/items",
    { ...item, namespace: Array(33).fill("a") },
    422,
    "The namespace has 33 labels; 32 are the most.",
  ],
  ["a long label", "PUT /store/items", { ...item, namespace: [long(1_001)] }, 422, "The namespace has 1001 bytes; 1000 are the most."],
  ["a long key", "PUT /store/items", { ...item, key: long(1_001) }, 422, "The key has 1001 bytes; 1000 are the most."],
  ["no namespace", "DELETE /store/items", { key: "k" }, 400, "Namespace is required"],
  ["a label with a dot", "DELETE /store/items", { key: "k", namespace: ["a."] }, 422, `${labels}a.`],
  ["no namespace", "GET /store/items?key=k", undefined, 400, "Namespace is required"],
  ["an empty namespace", "GET /store/items?namespace=&key=k", undefined, 400, "Namespace is required"],
  ["an empty label", "GET /store/items?namespace=a..b&key=k", undefined, 422, `${labels}a..b`],
  ["a label with a dot", "POST /store/items/search", { namespace_prefix: ["a.b"] }, 422, `${labels}a.b`],
  [
    "an endless prefix",
    "POST /store/namespaces",
    { prefix: Array(40_000).fill("a") },
    422,
    "The namespace has 40000 labels; 32 are the most.",
  ],
  ["an empty label", "POST /store/namespaces", { prefix: [""] }, 422, labels],
  ["a label with a dot", "POST /store/namespaces", { suffix: ["a.b"] }, 422, `${labels}a.b`],
];
const filters: [what: string, filter: object, sentence: string][] = [
  ["an unknown operator", { age: { $near: 9 } }, 'A filter knows $eq, $ne, $gt, $gte, $lt, $lte; "$near" is none of them.'],
  ["an operator over all", { $or: [{ age: 9 }] }, "A filter begins with a field"],
  ["no field", { $gt: 9 }, "A filter begins with a field"],
  ["operators and fields", { age: { $gt: 9, years: 9 } }, 'A filter compares "age" with operators or with a document'],
  ["too much", Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${n}`, n])), "A filter has 101 conditions; 100 are the most."],
  ["a NUL", { "a\u0000b": 1 }, "A filter names a field with a NUL character or a lone surrogate"],
  ["a lone surrogate", { "a\ud800": { $gt: 1 } }, "A filter names a field with a NUL character or a lone surrogate"],
];

test.each(refusals)("%s for %s is answered with a sentence, and nothing is stored", async (_, route, body, status, sentence) => {
  const [method = "", path = ""] = route.split(" ");
  const answer = await send(method, path, body);
  expect({ ...answer, text: answer.text.slice(0, sentence.length) }).toEqual({ status, text: sentence });
  expect((await db.query("select from store_items")).rowCount).toBe(0);
});

test.each(filters)("a filter with %s is refused with a sentence", async (_, filter, sentence) => {
  const { status, text } = await send("POST", "/store/items/search", { namespace_prefix: [], filter });
  expect({ status, text: text.slice(0, sentence.length) }).toEqual({ status: 422, text: sentence });
});

test("names, queries and filters that look like SQL, JSON paths, patterns or prototypes are just that text", async () => {
  const odd = ["'; drop table store_items; --", '$[*] ? (@ > "")', "%", "_", "\\", "__proto__", "constructor", "{a,b}", '"', "NULL", "*"];
  for (const label of odd) await store.putItem([label], label, JSON.parse(JSON.stringify({ text: label }).replace("text", "__proto__")));
  for (const label of odd) {
    expect(await store.getItem([label], label), label).toMatchObject({ namespace: [label], key: label });
    const found = await store.searchItems([label], { filter: JSON.parse(`{"__proto__": ${JSON.stringify(label)}}`) });
    expect(found.items.map(({ key }) => key)).toEqual([label]);
    expect(
      (await store.searchItems([], { filter: { [label]: { $gt: label } }, query: label })).items.every(({ key }) => odd.includes(key)),
    ).toBe(true);
  }
  expect((await store.listNamespaces({ prefix: ["%"] })).namespaces).toEqual([["%"]]);
  for (const label of odd) await store.deleteItem([label], label);
});

test("the longest names and a value of ten megabytes are stored and found", async () => {
  const namespace = Array.from({ length: 31 }, () => long(32));
  const value = { text: "x".repeat(10_000_000), mark: "here" };
  await store.putItem(namespace, long(1_000), value);
  const { items } = await store.searchItems(namespace);
  expect(items).toMatchObject([{ namespace, value: { mark: "here" } }]);
  await store.deleteItem(namespace, items[0]?.key ?? "");
});

test("with http.disable_store there is no store over HTTP", async () => {
  const project = await makeProject({
    "langgraph.json": { graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` }, http: { disable_store: true } },
  });
  const closed = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
  await expect(closed.client.store.getItem(["a"], "k")).rejects.toThrow("HTTP 404");
  expect(await (await closed.fetch("/openapi.json")).text()).not.toContain("/store/");
});
