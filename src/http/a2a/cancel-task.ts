import { TaskNotCancelableError } from "@a2a-js/sdk/errors";
import { transaction } from "../../db/sql.ts";
import { ServiceError } from "../../errors.ts";
import type { TaskRun } from "../../runs/tasks.ts";
import { updateState } from "../../state/state.ts";
import { alreadyDecided } from "../admission/access.ts";
import { takePlaceAtRun } from "../admission/places.ts";
import { cancellable } from "../routes/cancellation.ts";
import { cancelRuns } from "../runs/cancel-runs.ts";
import { runOutput } from "../sse/follow.ts";
import { type A2aCall, findTaskOf, readTask } from "./a2a-call.ts";
import { isOver, phaseOf } from "./task-state.ts";

/** The time that a cancellation waits for the run to stop, in milliseconds. A node that ignores its abort signal may take longer. */
const waitMs = 30_000;

/**
 * Cancels a task, waits until its run has stopped, and returns the task. If the task waits for the answer to a question, no run has to
 * stop. In that case, the question is closed.
 */
export async function cancelTask(call: A2aCall, id: string): Promise<TaskRun> {
  const { deps, request, gone } = call;
  const found = await readTask(call, id);
  const { threadId, runId } = found;
  const scope = await cancellable(request, { action: "interrupt", threadId, runIds: [runId] });
  const task = await findTaskOf(call, scope, id);
  if (isOver(task)) throw new TaskNotCancelableError(`The task is already ${phaseOf(task)}.`);
  if (phaseOf(task) === "waiting") {
    await closeQuestions(call, task);
  } else {
    const leave = takePlaceAtRun(deps, request, runId);
    try {
      await cancelRuns(deps, scope, { threadId, runIds: [runId], action: "interrupt" });
      const signal = AbortSignal.any([gone, AbortSignal.timeout(waitMs)]);
      await runOutput(deps, { scope: alreadyDecided, runId, threadId }, { signal });
    } finally {
      leave();
    }
  }
  return findTaskOf(call, alreadyDecided, id);
}

/** Moves the thread's graph to its end, so that no answer can continue the graph. */
async function closeQuestions({ deps: { pool, registry } }: A2aCall, { threadId, taskId }: TaskRun): Promise<void> {
  const ending = [[{ values: null, asNode: "__end__" }]];
  await transaction(pool, (tx) => updateState(tx, alreadyDecided, registry, threadId, ending)).catch((error) => {
    if (!(error instanceof ServiceError)) throw error;
    throw new TaskNotCancelableError(`Task ${taskId} cannot be canceled now: ${error.message}`);
  });
}
