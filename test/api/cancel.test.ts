import { expect, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";
import { collect, eventually, readEvents } from "../sse.ts";

const { client, fetch, db } = await startTestService();
const model = await startModelServer();

const endless = { input: { until: 10_000, tickMs: 20 }, config: { recursion_limit: 100_000 }, streamMode: ["custom" as const] };

async function startedRun(threadId: string) {
  const run = await client.runs.create(threadId, "slow", endless);
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event === "custom") return run;
  throw new Error("the run ended by itself");
}

test("a cancelled run is interrupted, its thread idle, with what was reached", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await startedRun(threadId);
  await client.runs.cancel(threadId, run.run_id, true);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
  const thread = await client.threads.get(threadId);
  expect(thread).toMatchObject({ status: "idle", values: { until: 10_000 } });
  expect(await client.runs.join(threadId, run.run_id)).toMatchObject({ until: 10_000 });
  await client.threads.updateState(threadId, { values: { ticks: 1 }, asNode: "tick" });
});

test("without waiting the answer is 202, with it 204", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await startedRun(threadId);
  const cancel = (wait: number) =>
    fetch(`/threads/${threadId}/runs/${run.run_id}/cancel?wait=${wait}&action=interrupt`, { method: "POST" });
  expect((await cancel(0)).status).toBe(202);
  expect((await cancel(1)).status).toBe(204);
  expect((await cancel(0)).status).toBe(202);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
});

test.each(["agent", "agent-inside"])("the cancel reaches the request to the model (%s)", async (graphId) => {
  model.script({ tokens: ["one ", "two "], hang: true });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, graphId, {
    input: { messages: [{ role: "user", content: "hi" }] },
    config: { configurable: { base_url: model.baseUrl } },
    streamMode: ["messages-tuple"],
    streamSubgraphs: true,
  });
  for await (const { event } of client.runs.joinStream(threadId, run.run_id)) if (event.startsWith("messages")) break;
  await client.runs.cancel(threadId, run.run_id, true);
  await model.abandoned();
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
});

test.each(["agent", "agent-inside"])("the cancel reaches a tool at work (%s)", async (graphId) => {
  const url = `${model.baseUrl}/chat/completions`;
  model.script({ toolCall: { id: "one", name: "look_up", args: { url } } }, { tokens: ["slowly "], hang: true });
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, graphId, {
    input: { messages: [{ role: "user", content: "hi" }] },
    config: { configurable: { base_url: model.baseUrl } },
  });
  await eventually(() => model.requests.some(({ messages }) => messages[0]?.content === "looked up")).toBe(true);
  await client.runs.cancel(threadId, run.run_id, true);
  await model.abandoned();
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
});

test("rollback removes the run and what it did", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "slow", { input: { name: "kept", until: 0, tickMs: 1 } });
  const run = await startedRun(threadId);
  await client.runs.cancel(threadId, run.run_id, true, "rollback");
  await expect(client.runs.get(threadId, run.run_id)).rejects.toThrow("HTTP 404: Run not found");
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle", values: { names: ["kept"] } });
});

test("a rolled-back answer leaves the question open", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "two-questions", { input: {} });
  const ids = Object.values((await client.threads.get(threadId)).interrupts)
    .flat()
    .map((asked) => asked.id ?? "");
  await client.runs.wait(threadId, "two-questions", { command: { resume: Object.fromEntries(ids.map((id) => [id, "x"])) } });
  const before = await client.threads.getState(threadId);
  expect(before.tasks[0]?.interrupts[0]?.value).toBe("first");

  await client.runs.wait(threadId, "two-questions", { command: { resume: "to be taken back" } });
  const [answer] = await client.runs.list(threadId, { limit: 1 });
  expect((await client.threads.getState(threadId)).tasks[0]?.interrupts[0]?.value).toBe("second");
  await client.runs.delete(threadId, answer!.run_id);
  expect((await client.threads.getState(threadId)).tasks).toEqual(before.tasks);

  await client.runs.wait(threadId, "two-questions", { command: { resume: "one" } });
  const done = await client.runs.wait(threadId, "two-questions", { command: { resume: "two" } });
  expect((done as { answers: string[] }).answers).toEqual(expect.arrayContaining(["first one", "second two"]));
});

test("pending and delayed runs end at once, and their followers hear it", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  const following = collect(client.runs.joinStream(threadId, run.run_id));
  await client.runs.cancel(threadId, run.run_id, true);
  expect(await following).toEqual([]);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });

  const gone = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  await client.runs.cancel(threadId, gone.run_id, true, "rollback");
  await expect(client.runs.get(threadId, gone.run_id)).rejects.toThrow("HTTP 404");
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });
});

test("a run that is over is not changed by a cancel", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "steps", { input: {} });
  const [run] = await client.runs.list(threadId);
  for (const action of ["interrupt", "rollback"] as const) await client.runs.cancel(threadId, run!.run_id, true, action);
  expect(await client.runs.get(threadId, run!.run_id)).toMatchObject({ status: "success" });
});

test("runs are cancelled in bulk, by ids and by status", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const running = await startedRun(threadId);
  const pending = await client.runs.create(threadId, "steps", { input: {} });
  await client.runs.cancelMany({ threadId, runIds: [pending.run_id] });
  expect(await client.runs.get(threadId, pending.run_id)).toMatchObject({ status: "interrupted" });
  await client.runs.cancelMany({ status: "running" });
  await client.runs.join(threadId, running.run_id);
  expect(await client.runs.get(threadId, running.run_id)).toMatchObject({ status: "interrupted" });
  await expect(client.runs.cancelMany({ threadId, runIds: [crypto.randomUUID()] })).rejects.toThrow("HTTP 404");
  await expect(client.runs.cancelMany({} as { status: "all" })).rejects.toThrow("HTTP 422");
});

test("unknown runs in a list of ids are skipped if the list contains a run of the thread", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const pending = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 3_600 });
  const { thread_id: anotherId } = await client.threads.create();
  const another = await client.runs.create(anotherId, "steps", { input: {}, afterSeconds: 3_600 });
  await client.runs.cancelMany({ threadId, runIds: [crypto.randomUUID(), pending.run_id, another.run_id] });
  expect(await client.runs.get(threadId, pending.run_id)).toMatchObject({ status: "interrupted" });
  expect(await client.runs.get(anotherId, another.run_id)).toMatchObject({ status: "pending" });
  await client.runs.cancelMany({ threadId, runIds: [pending.run_id] }); // an ended run does not change
  await client.runs.cancel(anotherId, another.run_id, true);
});

test.each(["stream", "wait"])("a run told to end with its client ends when its %s is left, another goes on", async (endpoint) => {
  for (const [onDisconnect, status] of [
    ["cancel", "interrupted"],
    ["continue", "success"],
  ]) {
    const { thread_id: threadId } = await client.threads.create();
    const leaving = new AbortController();
    const until = onDisconnect === "cancel" ? 10_000 : 10;
    const body = JSON.stringify({
      assistant_id: "slow",
      input: { until, tickMs: 20 },
      config: { recursion_limit: 100_000 },
      stream_mode: ["custom"],
      on_disconnect: onDisconnect,
    });
    const response = await fetch(`/threads/${threadId}/runs/${endpoint}`, { method: "POST", body, signal: leaving.signal });
    expect(response.headers.has("location")).toBe(endpoint === "wait" || onDisconnect === "continue");
    await eventually(async () => (await client.runs.list(threadId))[0]?.status).toBe("running");
    leaving.abort();
    const [run] = await client.runs.list(threadId);
    await client.runs.join(threadId, run!.run_id);
    expect(await client.runs.get(threadId, run!.run_id)).toMatchObject({ status });
  }
});

test("a joiner may ask for the same", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await startedRun(threadId);
  const leaving = new AbortController();
  const joined = await fetch(`/threads/${threadId}/runs/${run.run_id}/stream?cancel_on_disconnect=1`, { signal: leaving.signal });
  await readEvents(joined).next();
  leaving.abort();
  await client.runs.join(threadId, run.run_id);
  expect(await client.runs.get(threadId, run.run_id)).toMatchObject({ status: "interrupted" });
});

test("deleting a running run, or its thread, stops the work and leaves nothing", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const run = await startedRun(threadId);
  await client.runs.delete(threadId, run.run_id);
  await expect(client.runs.get(threadId, run.run_id)).rejects.toThrow("HTTP 404");
  expect(await client.threads.get(threadId)).toMatchObject({ status: "idle" });

  const second = await startedRun(threadId);
  await client.threads.delete(threadId);
  const count = async () => {
    const { rows } = await db.query(
      "select (select count(*) from checkpoints where thread_id = $1::text) + (select count(*) from checkpoint_writes where thread_id = $1::text) + (select count(*) from run_events where run_id = $2) as count",
      [threadId, second.run_id],
    );
    return Number(rows[0].count);
  };
  expect(await count()).toBe(0);
  await client.runs.wait(null, "slow", { input: { until: 3, tickMs: 50 } });
  expect(await count()).toBe(0);
});
