import { expect, test } from "vitest";
import { surveyRemoval } from "../../src/retention/survey.ts";
import { type Swept, sweepOnce } from "../../src/retention/sweep.ts";
import { makeProject, until } from "../command.ts";
import { startTestService } from "../service.ts";

const project = await makeProject({
  "langgraph.json": {
    graphs: { storing: `${import.meta.dirname}/../graphs/storing.ts:graph` },
    store: { ttl: { default_ttl: 60, refresh_on_read: false, sweep_interval_minutes: 1_000 } },
  },
});
const { client, db } = await startTestService(); // langgraph.json of this service has no time to live
const { client: aged, db: agedDb } = await startTestService({ ENSEMBLE_CONFIG: `${project}/langgraph.json` });

const use = async (by: typeof client, ...calls: object[]) => {
  const { results } = (await by.runs.wait(null, "storing", { input: { calls } })) as { results: unknown[] };
  return results;
};
/** Moves the expiry of all items by this many minutes. */
const wait = (minutes: number, on = db) =>
  on.query("update store_items set expires_at = expires_at - make_interval(mins => $1)", [minutes]);
/** Returns the minutes until the item expires, or null if it never expires. */
const remaining = async (namespace: string, on = db): Promise<number | null> => {
  const { rows } = await on.query(
    "select round(extract(epoch from expires_at - now()) / 60)::integer as minutes from store_items where namespace = $1",
    [[namespace]],
  );
  return rows[0].minutes;
};
/** Sweeps once, as soon as the service's own sweeper is not sweeping. */
async function sweep(which: { expired: boolean; storeItems: boolean }): Promise<Swept | undefined> {
  let swept: Swept | undefined;
  await until(async () => {
    swept = await sweepOnce(agedDb, {}, which);
    return swept !== undefined;
  });
  return swept;
}
const keysUnder = async (by: typeof client, namespace: string[]) =>
  (await by.store.searchItems(namespace, { refreshTtl: false })).items.map(({ key }) => key);

test("an expired item that is not yet swept is not found and does not block a new item", async () => {
  await client.store.putItem(["gone"], "k", { old: true }, { ttl: 10 });
  await wait(11);
  expect(await client.store.getItem(["gone"], "k")).toBeNull();
  expect(await keysUnder(client, ["gone"])).toEqual([]);
  expect(await use(client, { get: ["gone"], key: "k" })).toEqual([null]);
  expect((await client.store.listNamespaces({ prefix: ["gone"] })).namespaces).toEqual([]);
  const before = (await db.query("select created_at from store_items where namespace = '{gone}'")).rows[0].created_at;

  await client.store.putItem(["gone"], "k", { new: true }, { ttl: 10 });
  const item = await client.store.getItem(["gone"], "k");
  expect(item).toMatchObject({ value: { new: true } });
  expect(Date.parse(item?.createdAt ?? "")).toBeGreaterThan(before.getTime());
});

test("a read gives an item its whole time again, unless it asks not to", async () => {
  await client.store.putItem(["read"], "k", {}, { ttl: 60 });
  await wait(30);
  await client.store.getItem(["read"], "k", { refreshTtl: false });
  await client.store.searchItems(["read"], { refreshTtl: false });
  expect(await remaining("read")).toBe(30);
  await client.store.getItem(["read"], "k");
  expect(await remaining("read")).toBe(60);
  await wait(30);
  await client.store.searchItems(["read"]);
  expect(await remaining("read")).toBe(60);
});

test("a put without a time to live removes the item's time to live", async () => {
  await client.store.putItem(["lasting"], "k", {}, { ttl: 10 });
  await client.store.putItem(["lasting"], "k", {});
  expect(await remaining("lasting")).toBeNull();
});

test("a value that the previous release writes over an expired item does not expire", async () => {
  await client.store.putItem(["upgrade"], "k", {}, { ttl: 10 });
  await wait(11);
  await db.query(`insert into store_items (namespace, key, value) values ('{upgrade}', 'k', '{"by": "it"}')
                  on conflict (namespace, key) do update set value = excluded.value, updated_at = now()`);
  expect(await client.store.getItem(["upgrade"], "k")).toMatchObject({ value: { by: "it" } });
});

test("store.ttl in langgraph.json sets the time to live and whether reads refresh it, and a put or a read may override both", async () => {
  const { store } = aged;
  await store.putItem(["usual"], "k", {});
  await store.putItem(["own"], "k", {}, { ttl: 120 });
  await store.putItem(["eternal"], "k", {}, { ttl: null });
  await wait(30, agedDb);
  for (const namespace of ["usual", "own", "eternal"]) await store.getItem([namespace], "k");
  expect(await Promise.all(["usual", "own", "eternal"].map((namespace) => remaining(namespace, agedDb)))).toEqual([30, 90, null]);
  await store.getItem(["usual"], "k", { refreshTtl: true });
  expect(await remaining("usual", agedDb)).toBe(60);
});

test("graphs give times to live as callers do, and read by the same rules", async () => {
  const put = (key: string, options: object = {}) => ({ put: [key], key: "k", value: {}, options });
  await use(aged, put("usual-node"), put("own-node", { ttl: 120 }), put("eternal-node", { ttl: null }));
  await wait(30, agedDb);
  await use(aged, { get: ["usual-node"], key: "k" }, { get: ["own-node"], key: "k", options: { refreshTtl: true } });
  expect(await Promise.all(["usual-node", "own-node", "eternal-node"].map((one) => remaining(one, agedDb)))).toEqual([30, 120, null]);
  await use(aged, { search: ["usual-node"], options: { refreshTtl: true } });
  expect(await remaining("usual-node", agedDb)).toBe(60);
  await expect(use(aged, put("wrong", { ttl: -1 }))).rejects.toThrow("Too small");
});

test("the sweeper takes away what is over, and nothing else", async () => {
  for (const key of ["one", "two"]) await client.store.putItem(["swept"], key, {}, { ttl: 10 });
  await wait(11);
  await client.store.putItem(["swept"], "three", {}, { ttl: 10 });
  await client.store.putItem(["swept"], "four", {});
  await until(async () => (await db.query("select from store_items where namespace = '{swept}'")).rowCount === 2);
  expect((await keysUnder(client, ["swept"])).toSorted()).toEqual(["four", "three"]);
});

test("expired items are swept at the interval of store.ttl, and `ensemble prune` prints how many wait", async () => {
  await aged.store.putItem(["waiting"], "k", {}, { ttl: 10 });
  await wait(100_000, agedDb);
  const due = (await surveyRemoval(agedDb, {})).storeItems;
  expect(due).toBeGreaterThan(0);
  expect(await sweep({ expired: false, storeItems: false })).toMatchObject({ storeItems: 0 });
  expect(await sweep({ expired: false, storeItems: true })).toMatchObject({ storeItems: due });
});
