import { type Assistant, findAssistant, findAssistants } from "../assistants/assistants.ts";
import { batched, largeDocument } from "../db/batched.ts";
import { everything, type Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { insertRunsWithThreads, insertRunWithThread, type RunWithThread } from "./insert.ts";
import type { Run } from "./run.ts";

/** The database calls that create a run with a new thread of its own. */
export interface RunWriter {
  findAssistant(scope: Scope, id: string): Promise<Assistant | undefined>;
  insertWithThread(run: RunWithThread): Promise<Run>;
}

/** Returns a writer that uses the given transaction. */
export const runWriterOf = (tx: Db): RunWriter => ({
  findAssistant: (scope, id) => findAssistant(tx, scope, id),
  insertWithThread: (run) => insertRunWithThread(tx, run),
});

/** Returns a writer that many requests share. Requests that arrive at the same time are written in one statement. */
export function sharedRunWriter(db: Db): RunWriter {
  const alone = runWriterOf(db);
  const find = batched((ids: string[]) => findAssistants(db, ids));
  const insert = batched((runs: RunWithThread[]) => insertRunsWithThreads(db, runs));
  return {
    findAssistant: (scope, id) => (scope === everything ? find(id) : alone.findAssistant(scope, id)),
    insertWithThread: (run) => (JSON.stringify(run.kwargs).length > largeDocument ? alone.insertWithThread(run) : insert(run)),
  };
}
