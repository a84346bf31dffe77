import type { Client } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { z } from "zod";
import { startTestService } from "../service.ts";
import { connectMcp } from "./clients.ts";
import { everyCapability, resultOf } from "./raw.ts";

const { client: api, db, urls } = await startTestService();
const url = urls[0] ?? "";
const connect = () => connectMcp(url, "2026-07-28", { capabilities: everyCapability });

for (const graph of ["slow", "two-questions", "fails"]) {
  const { assistant_id: id } = await api.assistants.get(graph);
  await api.assistants.update(id, { metadata: { mcp: { tasks: graph === "fails" ? "required" : "always" } } });
}

const Task = z.looseObject({
  taskId: z.string(),
  status: z.string(),
  inputRequests: z.record(z.string(), z.unknown()).default({}),
  result: z.looseObject({}).optional(),
});

/** Calls a tool as a client that knows tasks. The package's own client does not, so the answer is read as it was sent. */
async function callAsTask(name: string, args: object): Promise<string> {
  const result = await resultOf(url, "tools/call", { name, arguments: args });
  expect(result).toMatchObject({ resultType: "task", status: "working", ttlMs: expect.any(Number) });
  return Task.parse(result).taskId;
}

const get = (client: Client, taskId: string) => client.request({ method: "tasks/get", params: { taskId } }, Task);
const send = (client: Client, method: string, params: object) => client.request({ method, params: params as never }, z.looseObject({}));
const accept = (answer: string) => ({ action: "accept", content: { answer } });

test("a long call becomes a task, and the task returns the result of the run", async () => {
  const client = await connect();
  const taskId = await callAsTask("slow", { until: 2 });
  await expect.poll(() => get(client, taskId)).toMatchObject({ status: "completed", result: { structuredContent: { ticks: 2 } } });
});

test("the thread of a task stays for a day", async () => {
  const taskId = await callAsTask("slow", { until: 1 });
  const { rows } = await db.query("select temporary, ttl_minutes from threads where thread_id = $1", [taskId]);
  expect(rows).toEqual([{ temporary: false, ttl_minutes: 1_440 }]);
});

test("a task asks, is answered in parts, and goes on", async () => {
  const client = await connect();
  const taskId = await callAsTask("two-questions", {});
  await expect.poll(() => get(client, taskId)).toMatchObject({ status: "input_required" });
  const [first = "", second = ""] = Object.keys((await get(client, taskId)).inputRequests);
  await send(client, "tasks/update", { taskId, inputResponses: { [first]: accept("1"), unknown: accept("2") } });
  const between = await get(client, taskId);
  expect([between.status, Object.keys(between.inputRequests)]).toEqual(["input_required", [second]]);
  await send(client, "tasks/update", { taskId, inputResponses: { [second]: accept("2") } });
  const seen = new Set([first, second]);
  for (let round = 0; round < 2; round++) {
    const nextKey = async () => Object.keys((await get(client, taskId)).inputRequests).find((key) => !seen.has(key)) ?? "";
    await expect.poll(nextKey).not.toBe("");
    const key = await nextKey();
    seen.add(key);
    await send(client, "tasks/update", { taskId, inputResponses: { [key]: accept(`round ${round}`) } });
  }
  await expect
    .poll(() => get(client, taskId))
    .toMatchObject({
      status: "completed",
      result: { structuredContent: { answers: expect.arrayContaining(["first round 0", "second round 1"]) } },
    });
});

test("cancelling a task cancels its run", async () => {
  const client = await connect();
  const taskId = await callAsTask("slow", { until: 10_000 });
  await send(client, "tasks/cancel", { taskId });
  await expect.poll(() => get(client, taskId)).toMatchObject({ status: "cancelled" });
  expect(await api.runs.list(taskId)).toMatchObject([{ status: "interrupted" }]);
  await send(client, "tasks/cancel", { taskId });
});

test("cancelling a task that asks ends the task", async () => {
  const client = await connect();
  const taskId = await callAsTask("two-questions", {});
  await expect.poll(() => get(client, taskId)).toMatchObject({ status: "input_required" });
  await send(client, "tasks/cancel", { taskId });
  expect(await get(client, taskId)).toMatchObject({ status: "cancelled" });
});

test("a run that fails completes its task with an error of the tool", async () => {
  const client = await connect();
  const taskId = await callAsTask("fails", {});
  await expect.poll(() => get(client, taskId)).toMatchObject({ status: "completed", result: { isError: true } });
});

test("a client without tasks waits for the result, or is refused if the tool needs tasks", async () => {
  const client = await connectMcp(url, "2026-07-28");
  expect(await client.callTool({ name: "slow", arguments: { until: 1 } })).toMatchObject({ structuredContent: { ticks: 1 } });
  await expect(client.callTool({ name: "fails", arguments: {} })).rejects.toMatchObject({ code: -32021 });
  await expect(get(client, "x")).rejects.toMatchObject({ code: -32021 });
});

test("an unknown task, and a thread that is no task, are refused", async () => {
  const client = await connect();
  const { thread_id: taskId } = await api.threads.create();
  for (const id of ["nonsense", crypto.randomUUID(), taskId])
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"])
      await expect(send(client, method, { taskId: id, inputResponses: {} })).rejects.toMatchObject({ code: -32602 });
});
