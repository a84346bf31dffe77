import type { StreamResponse, TaskStatus } from "@a2a-js/sdk";
import { TaskState } from "@a2a-js/sdk";
import { findTask, type TaskRun } from "../../runs/tasks.ts";
import { alreadyDecided } from "../admission/access.ts";
import type { A2aCall } from "./a2a-call.ts";
import { createChunks } from "./chunks.ts";
import { toTask } from "./task-result.ts";
import { isOpen, statusOf } from "./task-state.ts";

/**
 * Yields a task and its updates, until the task has ended or waits for an answer. The updates come from the event log, beginning with its
 * first event. A client that reconnects thus gets all updates that it has missed. Throws if this process stops.
 */
export async function* followTask(call: A2aCall, begun: TaskRun): AsyncGenerator<StreamResponse, void, undefined> {
  const { deps, gone } = call;
  yield { payload: { $case: "task", value: await toTask(call, begun, { artifacts: false }) } };
  let task = begun;
  while (isOpen(task)) {
    const chunksOf = createChunks(task);
    let isWorking = task.status === "running";
    for await (const events of deps.feed.follow(task.runId, -1, gone)) {
      if (!isWorking) yield statusUpdate(task, { ...statusOf(task), state: TaskState.TASK_STATE_WORKING });
      isWorking = true;
      for (const event of events) yield* chunksOf(event);
    }
    if (gone.aborted) return;
    const now = await findTask(deps.pool, alreadyDecided, task.taskId);
    // The run no longer exists, for example because a later run of the thread has rolled it back. For the client, its task is canceled.
    if (!now) return yield statusUpdate(task, { state: TaskState.TASK_STATE_CANCELED, message: undefined, timestamp: undefined });
    task = now;
  }
  const { artifacts } = await toTask(call, task, { artifacts: true, historyLength: 0 });
  for (const artifact of artifacts) {
    const value = { ...idsOf(task), artifact, append: false, lastChunk: true, metadata: undefined };
    yield { payload: { $case: "artifactUpdate", value } };
  }
  yield statusUpdate(task, statusOf(task));
}

const idsOf = ({ taskId, threadId }: TaskRun) => ({ taskId, contextId: threadId });

const statusUpdate = (task: TaskRun, status: TaskStatus): StreamResponse => ({
  payload: { $case: "statusUpdate", value: { ...idsOf(task), status, metadata: undefined } },
});
