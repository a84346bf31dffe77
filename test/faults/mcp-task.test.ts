import { expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { resultOf } from "../mcp/raw.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, url, aWorker, begun, counts, journalFile } = await startCluster();

test("a task continues from its last checkpoint after its worker was killed", async () => {
  const config = { configurable: { journal: journalFile } };
  const metadata = { mcp: { tasks: "always" } };
  await client.assistants.create({ graphId: "relay", name: "long relay", config, metadata });
  const dying = await aWorker();
  const { taskId } = await resultOf<{ taskId: string }>(url, "tools/call", { name: "long_relay", arguments: { steps: 4, stepMs: 400 } });
  const [run] = await client.runs.list(taskId);
  const runId = run?.run_id ?? "";
  await until(begun(runId, "begin 2"));
  dying.child.kill("SIGKILL");
  await dying.exited;
  expect(await resultOf(url, "tasks/get", { taskId })).toMatchObject({ status: "working" });

  await aWorker();
  const get = () => resultOf(url, "tasks/get", { taskId });
  await expect.poll(get).toMatchObject({ status: "completed", result: { structuredContent: { done: 4 } } });
  expect(counts(runId)).toMatchObject({ "end 0": 1, "end 1": 1, "begin 2": 2, "end 2": 1, "end 3": 1 });
});
