import { TaskState } from "@a2a-js/sdk";
import { expect, test, vi } from "vitest";
import { a2aClient, asTask, collectUpdates, contents, data, sending } from "../a2a-client.ts";
import { startCluster, until } from "../cluster-of-processes.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, url, startWorker, aWorker, journalFile, begun, counts, rowOf } = await startCluster();
const { assistant_id: relay } = await client.assistants.create({
  graphId: "relay",
  config: { configurable: { journal: journalFile } },
});

test("a task outlives a killed worker while clients follow it, through a second API process too", async () => {
  const dying = await aWorker();
  const agent = await a2aClient([url], relay, "1.0");
  const another = await startWorker({ ENSEMBLE_ROLE: "api" });
  const there = await a2aClient([another.url ?? ""], relay, "1.0");
  const { id, contextId } = asTask(await agent.sendMessage(sending([data({ steps: 4, stepMs: 1_000 })], { now: true })));
  const following = [agent, there].map((one) => collectUpdates(one.resubscribeTask({ tenant: "", id })));
  const waiting = agent.sendMessage(sending([data({ steps: 5, stepMs: 10 })], { contextId })); // waits for the first task
  await until(begun(id, "begin 2"));
  dying.child.kill("SIGKILL");
  await dying.exited;
  await aWorker();

  for (const updates of await Promise.all(following)) {
    expect(updates[0]?.payload).toMatchObject({ $case: "task", value: { id, contextId } });
    const artifacts = updates.flatMap(({ payload }) => (payload?.$case === "artifactUpdate" ? [payload.value] : []));
    expect(artifacts.map(({ artifact }) => contents(artifact?.parts))).toEqual([[expect.objectContaining({ done: 4 })]]);
    expect(updates.at(-1)?.payload).toMatchObject({
      $case: "statusUpdate",
      value: { status: { state: TaskState.TASK_STATE_COMPLETED } },
    });
  }
  expect(await rowOf(id)).toMatchObject({ status: "success", attempt: 2 });
  expect(counts(id)).toMatchObject({ "end 0": 1, "end 1": 1, "end 2": 1, "end 3": 1 });
  expect(asTask(await waiting).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
  expect((await there.getTask({ tenant: "", id })).status?.state).toBe(TaskState.TASK_STATE_COMPLETED);
});

test("a client whose API process is killed gets no clean end, and follows the task at another process", async () => {
  await aWorker();
  const dying = await startWorker({ ENSEMBLE_ROLE: "api" });
  const agent = await a2aClient([dying.url ?? ""], relay, "1.0");
  const updates = agent.sendMessageStream(sending([data({ steps: 4, stepMs: 300 })]));
  const { payload } = (await updates.next()).value ?? {};
  const id = payload?.$case === "task" ? payload.value.id : "";
  await until(begun(id, "begin 1"));
  dying.child.kill("SIGKILL");
  await expect(collectUpdates(updates)).rejects.toThrow();
  const there = await a2aClient([url], relay, "1.0");
  const rest = await collectUpdates(there.resubscribeTask({ tenant: "", id }));
  expect(rest.at(-1)?.payload).toMatchObject({ $case: "statusUpdate", value: { status: { state: TaskState.TASK_STATE_COMPLETED } } });
});
