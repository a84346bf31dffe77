import type { Arguments } from "../arguments.ts";
import { type Connection, withService } from "./connection.ts";
import { contextOf, findRun, findThread } from "./find.ts";
import { converse, type ExitCode, openSession } from "./session.ts";

/** Runs `ensemble watch <thread>`, which follows the thread's running run. If no run is running, replays the thread's newest run. */
export async function watch(args: Arguments): Promise<ExitCode> {
  return withService(args, async (connection) => {
    const { client } = connection;
    const run = await runToWatch(connection, args.words[0] ?? "");
    const { thread_id: threadId, run_id: runId, assistant_id } = run;
    const { graph_id, metadata } = await client.assistants.get(assistant_id);
    const graph = metadata?.created_by === "system" ? String(metadata.preset ?? graph_id) : assistant_id;
    const session = openSession(connection, args, { graph, threadId, context: contextOf(run) });
    const parts = client.runs.joinStream(threadId, runId, { signal: session.leaving, lastEventId: "-1" });
    return converse(session, { threadId, runId: () => runId, parts });
  });
}

/** Returns the run to watch. `id` may be the id of a run or of a thread. For a thread, returns the running run, or else the newest run. */
async function runToWatch(connection: Connection, id: string) {
  const { client } = connection;
  if (!(await findThread(client, id))) {
    const run = await findRun(connection, id);
    if (!run) throw new Error(`There is no thread and no run "${id}".`);
    return run;
  }
  const [running] = await client.runs.list(id, { limit: 1, status: "running" });
  const [latest] = running ? [running] : await client.runs.list(id, { limit: 1 });
  if (!latest) throw new Error(`Nothing has run on thread ${id} yet.`);
  return latest;
}
