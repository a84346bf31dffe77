import type { Scope } from "../../db/scope.ts";
import { transaction } from "../../db/sql.ts";
import { runTopic } from "../../events/feed.ts";
import { cancelOpenRuns } from "../../runs/cancel.ts";
import { type CancelAction, cancelTopic, claimTopic, endTopic, threadTopic } from "../../runs/run.ts";
import { lockThread } from "../../threads/threads.ts";
import type { ApiDeps } from "../api-deps.ts";

interface RunsToCancel {
  threadId: string;
  runIds: string[];
  action: CancelAction;
}

/** Cancels these runs of a thread if they are open, and notifies the workers and clients. Returns the number of cancelled runs. */
export async function cancelRuns({ pool, wakeups }: ApiDeps, scope: Scope, { threadId, runIds, action }: RunsToCancel): Promise<number> {
  const cancelled = await transaction(pool, async (tx) => {
    if (!(await lockThread(tx, scope, threadId))) return 0; // the thread has been deleted meanwhile, or the caller may not change it
    return cancelOpenRuns(tx, [threadId], action, runIds);
  });
  // A pending run has now ended, so its followers are notified. A running run is ended by its worker, which is notified too.
  if (cancelled > 0) wakeups.notify(cancelTopic, claimTopic, threadTopic(threadId), ...runIds.map(endTopic), ...runIds.map(runTopic));
  return cancelled;
}
