import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();
const unknown = "00000000-0000-4000-8000-000000000000";

test("a thread is made, read, changed and deleted", async () => {
  const made = await client.threads.create({ metadata: { a: 1 }, graphId: "steps" });
  expect(made).toMatchObject({ status: "idle", metadata: { a: 1, graph_id: "steps" }, values: null, interrupts: {} });

  await client.threads.update(made.thread_id, { metadata: { b: 2 } });
  expect(await client.threads.get(made.thread_id)).toMatchObject({ metadata: { a: 1, b: 2 } });

  await client.threads.delete(made.thread_id);
  await expect(client.threads.get(made.thread_id)).rejects.toThrow(`HTTP 404: Thread with ID ${made.thread_id} not found`);
});

test("a taken id is refused, or kept when asked", async () => {
  const { thread_id: threadId } = await client.threads.create({ metadata: { first: true } });
  await expect(client.threads.create({ threadId })).rejects.toThrow("HTTP 409: Thread already exists");
  const kept = await client.threads.create({ threadId, ifExists: "do_nothing", metadata: { second: true } });
  expect(kept.metadata).toEqual({ first: true });
});

test("threads are searched by metadata, status, ids and values, sorted and paged", async () => {
  const group = crypto.randomUUID();
  const threads = [];
  for (const n of [1, 2, 3]) threads.push(await client.threads.create({ metadata: { group, n, "it's": { deep: ["\u0000", n] } } }));
  await client.runs.wait(threads[0]!.thread_id, "steps", { input: {} });

  const page = await fetch("/threads/search", {
    method: "POST",
    body: JSON.stringify({ metadata: { group }, limit: 2, sort_order: "asc" }),
  });
  expect(page.headers.get("x-pagination-total")).toBe("3");
  expect(page.headers.get("x-pagination-next")).toBe("2");
  expect((await page.json()).map((thread: { metadata: { n: number } }) => thread.metadata.n)).toEqual([1, 2]);

  expect(await client.threads.search({ metadata: { group }, offset: 2, sortOrder: "asc" })).toMatchObject([{ metadata: { n: 3 } }]);
  expect(await client.threads.search({ metadata: { group, "it's": { deep: ["\u0000", 2] } } })).toMatchObject([{ metadata: { n: 2 } }]);
  expect(await client.threads.search({ metadata: { group }, values: { last: "three" } })).toMatchObject([{ metadata: { n: 1 } }]);
  expect(await client.threads.search({ ids: [threads[1]!.thread_id] })).toMatchObject([{ metadata: { n: 2 } }]);
  expect(await client.threads.search({ metadata: { group }, status: "busy" })).toEqual([]);
  expect(await client.threads.count({ metadata: { group } })).toBe(3);
});

test("a search answers only the fields asked for, and values picked by path", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  const response = await fetch("/threads/search", {
    method: "POST",
    body: JSON.stringify({ ids: [threadId], select: ["thread_id"], extract: { newest: "values.log[-1]", missing: "values.no.such" } }),
  });
  expect(await response.json()).toEqual([{ thread_id: threadId, extracted: { newest: "three", missing: null } }]);
});

test("a minimal update answers nothing", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const response = await fetch(`/threads/${threadId}`, {
    method: "PATCH",
    headers: { prefer: "return=minimal" },
    body: '{"metadata":{"x":1}}',
  });
  expect([response.status, await response.text()]).toEqual([204, ""]);
});

test("a copy has the history and goes its own way", async () => {
  const { thread_id: threadId } = await client.threads.create({ metadata: { kind: "original" } });
  await client.runs.wait(threadId, "steps", { input: {} });
  const copy = await client.threads.copy(threadId);
  expect(copy).toMatchObject({ status: "idle", metadata: { kind: "original", thread_id: copy.thread_id }, values: { last: "three" } });

  await client.runs.wait(copy.thread_id, "steps", { input: {} });
  expect((await client.threads.getState<{ log: string[] }>(copy.thread_id)).values.log).toHaveLength(6);
  expect((await client.threads.getState<{ log: string[] }>(threadId)).values.log).toHaveLength(3);
  expect(await client.runs.list(copy.thread_id)).toHaveLength(1);
  await expect(client.threads.copy(unknown)).rejects.toThrow("HTTP 409: Thread not found");
});

test("a deleted thread leaves nothing behind", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  await client.threads.delete(threadId);
  await expect(client.threads.getState(threadId)).rejects.toThrow("HTTP 404");
  const again = await client.threads.create({ threadId });
  expect((await client.threads.getState(again.thread_id)).checkpoint).toBeNull();
});

test("a thread can be made with a history", async () => {
  const thread = await client.threads.create({
    graphId: "steps",
    supersteps: [
      { updates: [{ values: { log: ["zero"] }, asNode: "__start__" }] },
      { updates: [{ values: { log: ["a"], last: "a" }, asNode: "one" }] },
    ],
  });
  const state = await client.threads.getState(thread.thread_id);
  expect(state).toMatchObject({ values: { log: ["zero", "a"], last: "a" }, next: ["two"] });
  const end = await client.runs.wait(thread.thread_id, "steps", { input: null });
  expect(end).toEqual({ log: ["zero", "a", "two", "three"], last: "three" });
});

test("threads are sorted by the name of their status", async () => {
  const group = crypto.randomUUID();
  const make = () => client.threads.create({ metadata: { group } });
  const [error, interrupted, idle] = [await make(), await make(), await make()];
  await client.runs.wait(error.thread_id, "fails", { input: {}, raiseError: false });
  await client.runs.wait(interrupted.thread_id, "review", { input: { topic: "rivers" } });
  const sorted = await client.threads.search({ metadata: { group }, sortBy: "status", sortOrder: "asc" });
  expect(sorted.map(({ status }) => status)).toEqual(["error", "idle", "interrupted"]);
  expect(sorted[1]?.thread_id).toBe(idle.thread_id);
});
