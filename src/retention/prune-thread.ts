import { deleteThreadCheckpoints } from "../checkpoints/lifecycle.ts";
import { hasOldFormat, pruneCheckpoints } from "../checkpoints/prune.ts";
import type { Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { isThreadBusy } from "../runs/read.ts";
import { deleteThreadRow, lockThread, type TtlStrategy } from "../threads/threads.ts";

/** Deletes a thread and all data that is stored for it. Call it in a transaction that holds the thread's lock. */
export async function deleteThread(tx: Db, threadId: string): Promise<void> {
  await deleteThreadRow(tx, threadId);
  await deleteThreadCheckpoints(tx, threadId);
}

/**
 * Deletes a thread, or only its older checkpoints, according to `strategy`. Call it in a transaction. Returns false and deletes nothing in
 * these cases:
 * - The caller may not see the thread.
 * - The thread has an open run.
 * - Only checkpoints are to be deleted, but they have an old format.
 */
export async function pruneThread(tx: Db, scope: Scope, threadId: string, strategy: TtlStrategy): Promise<boolean> {
  if (!(await lockThread(tx, scope, threadId)) || (await isThreadBusy(tx, threadId))) return false;
  if (strategy === "delete") await deleteThread(tx, threadId);
  else if (await hasOldFormat(tx, threadId)) return false;
  else await pruneCheckpoints(tx, [threadId], "latest");
  return true;
}
