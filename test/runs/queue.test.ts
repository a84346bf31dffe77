import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { type Claim, claimRuns } from "../../src/runs/claim.ts";
import { endRun } from "../../src/runs/end.ts";
import { setWeights } from "../../src/runs/queue.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService({
  ENSEMBLE_ROLE: "api",
  ENSEMBLE_CONFIG: new URL("../graphs/queues.json", import.meta.url).pathname,
});
const workerId = randomUUID();

beforeAll(async () => {
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, 1, 'here', 1)", [workerId]);
});
beforeEach(async () => {
  await db.query("delete from threads");
  await db.query("delete from queue_keys");
});

interface Wanted {
  tenant?: string;
  priority?: number;
  [field: string]: unknown;
}

const bodyOf = ({ tenant, ...more }: Wanted) => ({ assistant_id: "steps", input: {}, metadata: { ...(tenant && { tenant }) }, ...more });

/** Creates runs in one batch request. */
async function createBatch(amount: number, wanted: Wanted): Promise<void> {
  for (let left = amount; left > 0; left -= 1_000) {
    const body = Array.from({ length: Math.min(left, 1_000) }, () => bodyOf(wanted));
    expect((await send("/runs/batch", body)).status).toBe(200);
  }
}

const send = (path: string, body: object) =>
  fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const create = async (wanted: Wanted): Promise<{ run_id: string }> => (await send("/runs", bodyOf(wanted))).json();
const claim = async (slots: number) =>
  (await claimRuns(db, workerId, { graphs: ["steps"], slots, suspects: 1, maxCrashes: 3, isLimited: false })).claims;
/** Claims runs one after another. The runs of one claim come in no order. */
async function claimInTurn(amount: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = amount; left > 0; left--) ids.push(...(await claim(1)).map(({ runId }) => runId));
  return ids;
}
const tenantsOf = (claims: Claim[]) => claims.map(({ metadata }) => metadata.tenant);
const end = (one: Claim) => endRun(db, { ...one, end: { status: "success", output: null, error: null, thread: { status: "idle" } } });

test("runs of different keys take turns, and a long queue of one key holds up no other key", async () => {
  await createBatch(300, { tenant: "large" });
  await createBatch(3, { tenant: "small" });
  await create({ tenant: "other" });
  const first = await claim(6);
  expect(first).toHaveLength(6);
  expect(tenantsOf(first).filter((tenant) => tenant === "large")).toHaveLength(3);
  expect(tenantsOf(first)).toContain("small");
  expect(tenantsOf(first)).toContain("other");
  expect(tenantsOf([...first, ...(await claim(4))]).filter((tenant) => tenant === "small")).toHaveLength(3);
});

test("a key that comes later starts at the place of the run that is claimed next", async () => {
  await createBatch(100, { tenant: "early" });
  for (const one of await claim(40)) await end(one);
  await createBatch(20, { tenant: "late" });
  expect(tenantsOf(await claim(20)).filter((tenant) => tenant === "late")).toHaveLength(10);
});

test("a key with weight 3 gets three turns for each turn of a key with weight 1", async () => {
  await setWeights(db, { heavy: 3 });
  await createBatch(200, { tenant: "light" });
  await createBatch(200, { tenant: "heavy" });
  const tenants = tenantsOf([...(await claim(40)), ...(await claim(40))]);
  expect(tenants.filter((tenant) => tenant === "heavy")).toHaveLength(60);
  await setWeights(db, {});
});

test("a key without waiting runs pays nothing for its past runs", async () => {
  await createBatch(50, { tenant: "busy" });
  for (const one of await claim(50)) await end(one);
  await createBatch(5, { tenant: "busy" });
  await createBatch(5, { tenant: "new" });
  expect(tenantsOf(await claim(4)).sort()).toEqual(["busy", "busy", "new", "new"]);
});

test("runs without a key are claimed in the order of creation, and are not held up by keys", async () => {
  await createBatch(100, { tenant: "large" });
  const unkeyed = [await create({}), await create({}), await create({})];
  expect((await claimInTurn(4)).filter((id) => unkeyed.some(({ run_id }) => run_id === id))).toEqual(unkeyed.map(({ run_id }) => run_id));
});

test("a higher priority is claimed first, and an older run of a low priority comes before it at last", async () => {
  const low = await create({ priority: 1 });
  const usual = await create({});
  const high = await create({ priority: 5 });
  // As if four minutes and more had passed since the creation of the first run.
  const aged = await create({ priority: 1 });
  await db.query("update runs set rank = rank - 300 where run_id = $1", [aged.run_id]);
  expect(await claimInTurn(4)).toEqual([aged, high, usual, low].map(({ run_id }) => run_id));
});

test("an assistant sets the priority of its runs, and the request comes before it", async () => {
  const assistant = await client.assistants.create({ graphId: "steps", config: { priority: 5 } as never });
  await client.runs.create(null, assistant.assistant_id, { input: {} });
  await create({ assistant_id: assistant.assistant_id, priority: 2 });
  await client.runs.create(null, assistant.assistant_id, { input: {}, config: { priority: 1 } as never }); // with the official SDK
  const { rows } = await db.query("select priority from runs order by seq");
  expect(rows.map(({ priority }) => priority)).toEqual([5, 2, 1]);
});

test("a wrong priority is refused with a sentence", async () => {
  for (const priority of [0, 6, 2.5, "high"]) {
    const response = await send("/runs", bodyOf({ priority: priority as number }));
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("priority");
  }
  const assistant = await client.assistants.create({ graphId: "steps", config: { priority: "urgent" } as never });
  await expect(client.runs.create(null, assistant.assistant_id, { input: {} })).rejects.toThrow(/config.priority is .+urgent/);
});

test("a delayed run takes its place when it is due", async () => {
  await createBatch(20, { tenant: "large" });
  await create({ tenant: "later", after_seconds: 3_600 });
  expect(tenantsOf(await claim(5))).toEqual(Array(5).fill("large"));
  await db.query("update runs set run_at = now() - interval '1 second' where metadata::jsonb ->> 'tenant' = 'later'");
  expect(tenantsOf(await claim(5))).toContain("later");
});

test("runs that the previous release has created are claimed in the order of their due times", async () => {
  const old = await create({});
  await db.query("update runs set rank = null, run_at = now() - interval '10 seconds' where run_id = $1", [old.run_id]);
  const recent = await create({});
  expect(await claimInTurn(2)).toEqual([old.run_id, recent.run_id]);
});

test("32 requests of one key at once get different places, up to a few that come before the first is stored", async () => {
  await Promise.all(Array.from({ length: 32 }, () => create({ tenant: "one" })));
  const { rows } = await db.query("select max(rank) - min(rank) as span from runs");
  expect(rows[0].span).toBeGreaterThan(5 * 60);
});
