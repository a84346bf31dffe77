import { Client } from "@langchain/langgraph-sdk";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { makeProject } from "../command.ts";
import { startTestService } from "../service.ts";

const auth = `
import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
export const auth = new Auth()
  .authenticate(async (request) => {
    const name = request.headers.get("x-user");
    if (!name) throw new HTTPException(401, { message: "Who are you?" });
    return name;
  })
  .on("store", ({ value, user }) => {
    const [first] = value.namespace;
    if (first === "closed") return false;
    if (first === "home") value.namespace[0] = "home-of-" + user.identity;
    if (first === "home") return true;
    if ("metadata" in value) value.metadata = { ...value.metadata, owner: user.identity };
    return { owner: user.identity };
  });
`;
const project = await makeProject({
  "auth.ts": auth,
  "langgraph.json": { graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` }, auth: { path: "./auth.ts:auth" } },
});
const { urls, db } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });
const secret = "a secret that is shared with the issuer, and long";
const { urls: withTokens } = await startTestService({ ENSEMBLE_JWT_SECRET: secret });

const connect = (defaultHeaders: Record<string, string>, apiUrl = urls[0] ?? "") =>
  new Client({ apiUrl, apiKey: null, defaultHeaders, callerOptions: { maxRetries: 0 } }).store;
const storeOf = (user?: string) => connect(user ? { "x-user": user } : {});
const [ann, bob] = [storeOf("ann"), storeOf("bob")];

test("who is not known is answered 401, whatever they ask of the store", async () => {
  const nobody = storeOf();
  for (const asked of [
    () => nobody.putItem(["a"], "k", {}),
    () => nobody.getItem(["a"], "k"),
    () => nobody.deleteItem(["a"], "k"),
    () => nobody.searchItems([]),
    () => nobody.listNamespaces(),
  ])
    await expect(asked()).rejects.toThrow("HTTP 401: Who are you?");
});

test("what the handler forbids is answered 403, and nothing is done", async () => {
  for (const asked of [
    () => ann.putItem(["closed"], "k", {}),
    () => ann.getItem(["closed"], "k"),
    () => ann.deleteItem(["closed"], "k"),
    () => ann.searchItems(["closed"]),
    () => ann.listNamespaces({ prefix: ["closed"] }),
  ])
    await expect(asked()).rejects.toThrow("HTTP 403");
  expect((await db.query("select from store_items where namespace = '{closed}'")).rowCount).toBe(0);
});

test("another user's item is not found, listed or deleted, but its key cannot be used for a new item", async () => {
  await ann.putItem(["notes"], "k", { text: "mine" }, { ttl: 60 });
  const expiry = async () => (await db.query("select expires_at from store_items where namespace = '{notes}'")).rows;
  const before = await expiry();
  for (const key of ["k", "nothing"]) {
    expect(await bob.getItem(["notes"], key)).toBeNull();
    expect(await bob.deleteItem(["notes"], key)).toBeUndefined();
  }
  expect(await expiry()).toEqual(before);
  await expect(bob.putItem(["notes"], "k", { text: "taken" })).rejects.toThrow("HTTP 404: Item not found");
  expect(await bob.searchItems(["notes"])).toEqual({ items: [] });
  expect(await bob.searchItems(["notes"], { query: "mine" })).toEqual({ items: [] });
  expect(await bob.listNamespaces({ prefix: ["notes"] })).toEqual({ namespaces: [] });

  const found = await ann.getItem(["notes"], "k");
  expect(found).toMatchObject({ value: { text: "mine" } });
  expect(found).not.toHaveProperty("metadata");
  expect((await ann.searchItems(["notes"])).items).toHaveLength(1);
  await ann.putItem(["notes"], "k", { text: "changed" });
  await ann.deleteItem(["notes"], "k");
  await bob.putItem(["notes"], "k", { text: "free again" });
  expect(await bob.getItem(["notes"], "k")).toMatchObject({ value: { text: "free again" } });
});

test("an item that is over hides nothing from anybody", async () => {
  await ann.putItem(["over"], "k", {}, { ttl: 1 });
  await db.query("update store_items set expires_at = now() - interval '1 minute' where namespace = '{over}'");
  expect(await bob.getItem(["over"], "k")).toBeNull();
  await bob.putItem(["over"], "k", { by: "bob" });
  expect(await ann.getItem(["over"], "k")).toBeNull();
});

test("a handler may lead everybody to a place of their own", async () => {
  await ann.putItem(["home"], "k", { by: "ann" });
  await bob.putItem(["home"], "k", { by: "bob" });
  expect(await ann.getItem(["home"], "k")).toMatchObject({ namespace: ["home-of-ann"], value: { by: "ann" } });
  expect((await bob.searchItems(["home"])).items).toMatchObject([{ value: { by: "bob" } }]);
  expect(await bob.listNamespaces({ prefix: ["home"] })).toEqual({ namespaces: [["home-of-bob"]] });
  await ann.deleteItem(["home"], "k");
  expect(await ann.getItem(["home"], "k")).toBeNull();
  expect(await bob.getItem(["home"], "k")).not.toBeNull();
});

const tokenOf = (sub: string) =>
  new SignJWT({ sub, exp: Math.floor(Date.now() / 1_000) + 600 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));

test("a user with a token can use only the namespaces that begin with the user's name", async () => {
  const store = connect({ authorization: `Bearer ${await tokenOf("ann")}` }, withTokens[0]);
  await store.putItem(["ann", "notes"], "k", { text: "mine" });
  expect((await store.searchItems(["ann"])).items).toMatchObject([{ key: "k" }]);
  expect(await store.listNamespaces({ prefix: ["ann"] })).toEqual({ namespaces: [["ann", "notes"]] });
  for (const asked of [
    () => store.putItem(["bob"], "k", {}),
    () => store.getItem(["bob"], "k"),
    () => store.deleteItem(["bob"], "k"),
    () => store.searchItems([]),
    () => store.listNamespaces({ suffix: ["ann"] }),
  ])
    await expect(asked()).rejects.toThrow("HTTP 403");
});

test("who is called by the sign for any name sees no more for it", async () => {
  const [ann, any] = await Promise.all(
    ["ann", "*"].map(async (sub) => connect({ authorization: `Bearer ${await tokenOf(sub)}` }, withTokens[0])),
  );
  await ann?.putItem(["ann", "secrets"], "k", {});
  await expect(any?.listNamespaces({ prefix: ["*"] })).rejects.toThrow("HTTP 403");
  await any?.putItem(["%2A", "notes"], "k", {});
  expect(await any?.listNamespaces({ prefix: ["%2A"] })).toEqual({ namespaces: [["%2A", "notes"]] });
});
