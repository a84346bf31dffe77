import type { Arguments } from "../arguments.ts";
import { type Connection, isNotFound, withService } from "./connection.ts";
import { findRun, findThread } from "./find.ts";

const timeoutMs = 10_000;

/**
 * Runs `ensemble cancel <run|thread>`, which cancels a run or all open runs of a thread. With `--rollback`, it also deletes the cancelled
 * runs.
 */
export async function cancel(args: Arguments): Promise<void> {
  const [id = ""] = args.words;
  const rollback = args.flags.has("rollback");
  await withService(args, async (connection) => {
    const thread = await findThread(connection.client, id);
    const runs = thread ? await openRunsOf(connection, id) : [await openRun(connection, id)];
    if (runs.length === 0) throw new Error(`Nothing is open on thread ${id}.`);
    for (const run of runs) console.log(await cancelOne(connection, run, rollback));
  });
}

interface OpenRun {
  run_id: string;
  thread_id: string;
}

/**
 * Returns the open runs of a thread, in the order in which to cancel them. Pending runs come first. If the running run were cancelled
 * first, a pending one would begin.
 */
async function openRunsOf({ client }: Connection, threadId: string): Promise<OpenRun[]> {
  const pending = await client.runs.list(threadId, { status: "pending", limit: 1_000 });
  return [...pending, ...(await client.runs.list(threadId, { status: "running", limit: 1_000 }))];
}

async function openRun(connection: Connection, id: string): Promise<OpenRun> {
  const run = await findRun(connection, id);
  if (!run) throw new Error(`There is no run and no thread "${id}".`);
  if (run.status !== "pending" && run.status !== "running") throw new Error(`Run ${id} has ended already (${run.status}).`);
  return run;
}

async function cancelOne({ client }: Connection, { run_id: runId, thread_id: threadId }: OpenRun, rollback: boolean): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const left = () => `Run ${runId} is being cancelled and has not stopped yet.`;
  const over = await client.runs.cancel(threadId, runId, true, rollback ? "rollback" : "interrupt", { signal }).then(
    () => true,
    (error: unknown) => {
      if (signal.aborted) return false;
      throw error;
    },
  );
  if (!over) return left();
  const run = await client.runs.get(threadId, runId).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (!run) return `Run ${runId} is cancelled and removed.`;
  return run.status === "interrupted" ? `Run ${runId} is cancelled.` : `Run ${runId} ended before the cancellation (${run.status}).`;
}
