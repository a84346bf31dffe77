import { Client } from "@langchain/langgraph-sdk";
import { describe, expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

/**
 * The auth of these tests. A header contains the handler's answer, so that each test chooses its own. A handler that sets marks uses
 * `mark`.
 */
const auth = `
export const auth = { "~handlerCache": {
  authenticate: (request) => ({ identity: request.headers.get("x-user"), answer: JSON.parse(request.headers.get("x-answer")), mark: request.headers.get("x-mark") }),
  callbacks: { store: ({ value, user }) => {
    if (user.mark && "metadata" in value) value.metadata = { ...value.metadata, owner: user.mark };
    return user.answer;
  } },
} };
`;
const project = await makeProject({
  "auth.mjs": auth,
  "langgraph.json": { graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` }, auth: { path: "./auth.mjs:auth" } },
});
const { urls, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const { urls: indexed } = await startTestService({
  ENSEMBLE_CONFIG: `${await makeProject({
    "auth.mjs": auth,
    "embed.mjs": "export const embed = async (texts) => texts.map((text) => [text.length, 1]);",
    "langgraph.json": {
      graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` },
      auth: { path: "./auth.mjs:auth" },
      store: { index: { embed: "./embed.mjs:embed", dims: 2 } },
    },
  })}/langgraph.json`,
});

const storeWith = (answer: unknown, mark = "", apiUrl = urls[0] ?? "") =>
  new Client({
    apiUrl,
    apiKey: null,
    defaultHeaders: { "x-user": "somebody", "x-answer": JSON.stringify(answer), ...(mark && { "x-mark": mark }) },
    callerOptions: { maxRetries: 0 },
  }).store;
const root = storeWith(null);
/** As the official server's own fixture does. */
const named = (identity: string, apiUrl?: string) => storeWith({ namespace: { $contains: identity } }, "", apiUrl);

describe("a filter on the namespace", () => {
  const [ann, bob] = [named("ann"), named("bob")];

  test("shows users only their own items", async () => {
    await ann.putItem(["ann", "notes"], "k", { text: "mine" });
    await root.putItem(["shared", "ann", "bob"], "k", { text: "ours" });
    expect(await ann.getItem(["ann", "notes"], "k")).toMatchObject({ value: { text: "mine" } });
    expect((await ann.searchItems([])).items).toHaveLength(2);
    expect((await ann.searchItems(["ann"], { query: "mine", filter: { text: "mine" } })).items).toMatchObject([{ key: "k" }]);
    expect(await ann.listNamespaces()).toEqual({
      namespaces: [
        ["ann", "notes"],
        ["shared", "ann", "bob"],
      ],
    });

    expect(await bob.getItem(["ann", "notes"], "k")).toBeNull();
    expect(await bob.searchItems(["ann"])).toEqual({ items: [] });
    expect(await bob.listNamespaces({ prefix: ["ann"] })).toEqual({ namespaces: [] });
    expect((await bob.searchItems([])).items).toMatchObject([{ namespace: ["shared", "ann", "bob"] }]);
    await bob.deleteItem(["ann", "notes"], "k");
    await ann.putItem(["ann", "notes"], "k", { text: "changed" });
    expect(await ann.getItem(["ann", "notes"], "k")).toMatchObject({ value: { text: "changed" } });
    await ann.deleteItem(["ann", "notes"], "k");
    expect(await ann.getItem(["ann", "notes"], "k")).toBeNull();
  });

  test("finds by meaning only what the user may see", async () => {
    const [ann, bob] = [named("ann", indexed[0]), named("bob", indexed[0])];
    await ann.putItem(["ann"], "k", { text: "mine" });
    expect((await ann.searchItems([], { query: "mine" })).items).toMatchObject([{ key: "k" }]);
    expect(await bob.searchItems([], { query: "mine" })).toEqual({ items: [] });
  });

  test("refuses to put where the user could not see it, and does not say whether something is there", async () => {
    await ann.putItem(["ann", "secret"], "k", {});
    for (const key of ["k", "none"]) {
      await expect(bob.putItem(["ann", "secret"], key, { namespace: ["bob"] })).rejects.toThrow("HTTP 403");
      expect(await bob.getItem(["ann", "secret"], key)).toBeNull();
      expect(await bob.deleteItem(["ann", "secret"], key)).toBeUndefined();
    }
    expect((await db.query("select value from store_items where namespace = '{ann,secret}'")).rows).toEqual([{ value: {} }]);
  });

  test("asks for the name of a label, not for the label of a name", async () => {
    await root.putItem(["exact", "label"], "k", {});
    expect(await storeWith({ namespace: "exact" }).getItem(["exact", "label"], "k")).toBeNull();
    expect(await storeWith({ namespace: { $contains: ["label", "exact"] } }).getItem(["exact", "label"], "k")).not.toBeNull();
    expect(await storeWith({ namespace: { $contains: ["label", "missing"] } }).getItem(["exact", "label"], "k")).toBeNull();
    expect(await named("lab").getItem(["exact", "label"], "k")).toBeNull();
  });
});

describe("a filter on key or value", () => {
  test("compares the item's own key, whatever its value says", async () => {
    await root.putItem(["keys"], "one", { key: "two", namespace: ["elsewhere"] });
    expect(await storeWith({ key: "one" }).getItem(["keys"], "one")).not.toBeNull();
    expect(await storeWith({ key: "two" }).getItem(["keys"], "one")).toBeNull();
    expect(await named("elsewhere").getItem(["keys"], "one")).toBeNull();
  });

  test("compares fields of the value, and what is put must fit", async () => {
    const ann = storeWith({ team: "red", tags: { $contains: "open" } });
    await ann.putItem(["values"], "k", { team: "red", tags: ["open", "new"] });
    expect(await ann.getItem(["values"], "k")).not.toBeNull();
    expect(await storeWith({ team: "blue" }).getItem(["values"], "k")).toBeNull();
    await expect(ann.putItem(["values"], "other", { team: "blue", tags: ["open"] })).rejects.toThrow("HTTP 403");
    await expect(ann.putItem(["values"], "k", { team: "red" })).rejects.toThrow("HTTP 403");
    await expect(storeWith({ team: "blue" }).putItem(["values"], "k", { team: "blue" })).rejects.toThrow("HTTP 404: Item not found");
  });

  test("believes a handler's mark more than a value, which its writer chooses", async () => {
    const marking = (name: string) => storeWith({ owner: name }, name);
    const [ann, bob] = [marking("ann"), marking("bob")];
    await ann.putItem(["marked"], "k", { owner: "bob" });
    expect(await bob.getItem(["marked"], "k")).toBeNull();
    expect((await bob.searchItems(["marked"])).items).toEqual([]);
    expect(await ann.getItem(["marked"], "k")).toMatchObject({ value: { owner: "bob" } });
  });

  test("keeps the owner mark when a put has none, and refuses the mark to other users", async () => {
    await storeWith({ owner: "ann" }, "ann").putItem(["kept"], "k", {});
    await storeWith({ owner: "ann" }).putItem(["kept"], "k", { again: true });
    expect(await storeWith({ owner: "ann" }).getItem(["kept"], "k")).toMatchObject({ value: { again: true } });
    await expect(storeWith({ owner: "bob" }).putItem(["kept"], "k", {})).rejects.toThrow("HTTP 403");
    await expect(storeWith({ owner: "bob" }).putItem(["kept"], "free", {})).rejects.toThrow("HTTP 403");
  });
});
