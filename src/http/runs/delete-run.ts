import { deleteRunCheckpoints } from "../../checkpoints/lifecycle.ts";
import type { Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { runNotFound } from "../../errors.ts";
import { runTopic } from "../../events/feed.ts";
import { deleteRunRow } from "../../runs/end.ts";
import { isThreadBusy } from "../../runs/read.ts";
import { cancelTopic, claimTopic, endTopic } from "../../runs/run.ts";
import { refreshThread } from "../../state/state.ts";
import { lockThread } from "../../threads/threads.ts";
import type { ApiDeps } from "../api-deps.ts";

/**
 * Deletes a run of a thread with its checkpoints, and stops it if it is open. The thread then has the state from before the run. If the
 * thread has newer runs, it keeps the state after these runs. Throws a 404 if the caller may not delete the run.
 */
export async function deleteRun(
  { pool, registry, wakeups }: ApiDeps,
  scope: Scope,
  { threadId, runId }: { threadId: string; runId: string },
): Promise<void> {
  await transaction(pool, async (tx) => {
    if (!(await lockThread(tx, scope, threadId))) throw runNotFound();
    if (!(await deleteRunRow(tx, threadId, runId))) throw runNotFound();
    await deleteRunCheckpoints(tx, threadId, runId, await isThreadBusy(tx, threadId));
    await refreshThread(tx, registry, threadId);
  });
  wakeups.notify(cancelTopic, claimTopic, endTopic(runId), runTopic(runId));
}
