import { type Assistant, findAssistant, findAssistants } from "../assistants/assistants.ts";
import { everything, type Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { largeDocument, together } from "../db/together.ts";
import { insertRunsWithThreads, insertRunWithThread, type RunWithThread } from "./insert.ts";
import type { Run } from "./run.ts";

/** What the making of a run on a thread of its own asks of the database. */
export interface Desk {
  findAssistant(scope: Scope, id: string): Promise<Assistant | undefined>;
  insertWithThread(run: RunWithThread): Promise<Run>;
}

/** For whoever makes runs in a transaction of their own. */
export const deskOf = (tx: Db): Desk => ({
  findAssistant: (scope, id) => findAssistant(tx, scope, id),
  insertWithThread: (run) => insertRunWithThread(tx, run),
});

/** For many at once who each make one run: those that come together share a statement. */
export function sharedDesk(db: Db): Desk {
  const alone = deskOf(db);
  const find = together((ids: string[]) => findAssistants(db, ids));
  const insert = together((runs: RunWithThread[]) => insertRunsWithThreads(db, runs));
  return {
    findAssistant: (scope, id) => (scope === everything ? find(id) : alone.findAssistant(scope, id)),
    insertWithThread: (run) => (JSON.stringify(run.kwargs).length > largeDocument ? alone.insertWithThread(run) : insert(run)),
  };
}
