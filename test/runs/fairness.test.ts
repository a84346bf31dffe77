import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";

const { fetch, db } = await startTestService({
  ENSEMBLE_CONFIG: new URL("../graphs/queues.json", import.meta.url).pathname,
  N_JOBS_PER_WORKER: "5",
});

const send = (path: string, body?: object) =>
  fetch(path, { method: "POST", ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });

async function create(amount: number, tenant: string): Promise<void> {
  for (let left = amount; left > 0; left -= 1_000) {
    const runs = Array.from({ length: Math.min(left, 1_000) }, () => ({ assistant_id: "steps", input: {}, metadata: { tenant } }));
    expect((await send("/runs/batch", runs)).status).toBe(200);
  }
}

const countOf = async (condition: string): Promise<number> =>
  (await db.query(`select count(*)::integer as n from runs where ${condition}`)).rows[0].n;

test("ten keys with ten runs each are done while a key with 3,000 runs has had about as many turns", async () => {
  await send("/workers/halt");
  await create(3_000, "large");
  for (let key = 0; key < 10; key++) await create(10, `small ${key}`);
  await send("/workers/resume");
  const open = () => countOf("queue_key like 'small%' and status in ('pending', 'running')");
  await eventually(open).toBe(0);
  // A turn of the large key for each of the ten rounds, and the runs that started until the last small run had ended.
  const { rows } = await db.query(`
    select count(*)::integer as n from runs
     where queue_key = 'large' and started_at <= (select max(started_at) from runs where queue_key like 'small%')`);
  expect(rows[0].n).toBeGreaterThanOrEqual(5);
  expect(rows[0].n).toBeLessThanOrEqual(80);
  await send("/workers/halt");
});
