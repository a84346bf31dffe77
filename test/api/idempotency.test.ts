import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { collect, readEvents } from "../sse.ts";

const { client, fetch, db } = await startTestService();

const post = (path: string, key: string, body: unknown) =>
  fetch(path, { method: "POST", headers: { "idempotency-key": key }, body: JSON.stringify(body) });
const body = { assistant_id: "steps", input: {} };

test("the same key and request create one run, whichever endpoint the request uses", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const key = crypto.randomUUID();
  const first = await (await post(`/threads/${threadId}/runs`, key, body)).json();
  const again = await (await post(`/threads/${threadId}/runs`, key, body)).json();
  expect(again.run_id).toBe(first.run_id);
  const waited = await post(`/threads/${threadId}/runs/wait`, key, body);
  expect(waited.headers.get("content-location")).toContain(first.run_id);
  expect(await waited.json()).toMatchObject({ last: "three" });
  const events = await collect(readEvents(await post(`/threads/${threadId}/runs/stream`, key, body)));
  expect(events[0]).toMatchObject({ event: "metadata", data: { run_id: first.run_id } });
  expect(await client.runs.list(threadId)).toHaveLength(1);
});

test("many simultaneous requests with one key create one run", async () => {
  const key = crypto.randomUUID();
  const runs = await Promise.all(Array.from({ length: 10 }, async () => (await post("/runs", key, body)).json()));
  expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(1);
  const batchKey = crypto.randomUUID();
  const batches = await Promise.all([1, 2, 3].map(async () => (await post("/runs/batch", batchKey, [body, body])).json()));
  expect(new Set(batches.flat().map(({ run_id }) => run_id)).size).toBe(2);
});

test("a key that was used for another request is refused, and so is a malformed key", async () => {
  const key = crypto.randomUUID();
  await post("/runs", key, body);
  const other = await post("/runs", key, { ...body, input: { log: ["other"] } });
  expect([other.status, await other.text()]).toEqual([409, "This Idempotency-Key was used for another request."]);
  for (const bad of ["", "with space", "x".repeat(256)]) expect((await post("/runs", bad, body)).status).toBe(422);
});

test("a request that failed leaves its key free", async () => {
  const key = crypto.randomUUID();
  expect((await post("/runs", key, { assistant_id: "nope" })).status).toBe(404);
  expect((await post("/runs", key, body)).status).toBe(200);
});

test("keys are kept for a day", async () => {
  const key = crypto.randomUUID();
  await post("/runs", key, body);
  await db.query("update idempotency_keys set created_at = now() - interval '25 hours' where key = $1", [key]);
  const { sweepIdempotencyKeys } = await import("../../src/runs/idempotency.ts");
  await sweepIdempotencyKeys(db, 100);
  expect((await post("/runs", key, { ...body, input: { log: ["new"] } })).status).toBe(200);
});
