import { type AssistantToRun, findAssistantsToRun, findAssistantToRun } from "../assistants/assistants.ts";
import { batched, largeDocument } from "../db/batched.ts";
import { everything, type Scope } from "../db/scope.ts";
import type { Db } from "../db/sql.ts";
import { insertRunsWithThreads, insertRunWithThread, type RunWithThread } from "./insert.ts";
import { refuseFullQueue } from "./limits.ts";
import { type TakenTurns, type Turns, takeTurns } from "./queue.ts";
import type { Run } from "./run.ts";

/** The database calls that create a run with a new thread of its own. */
export interface RunWriter {
  findAssistant(scope: Scope, id: string): Promise<AssistantToRun | undefined>;
  insertWithThread(run: RunWithThread): Promise<Run>;
  /**
   * Reserves the next place in the queue for a run with this queue key, and returns the rank by which the queue is sorted. Throws a 429 if
   * the key already has too many waiting runs. Pass false as `isNewWork` for a run that answers a question. Such a run is always accepted.
   */
  takeTurn(key: string, graphId: string, isNewWork: boolean): Promise<number>;
}

/** Returns a writer that uses the given transaction. `runs` is the number of runs that the transaction will create. */
export function runWriterOf(tx: Db, runs = 1): RunWriter {
  return {
    findAssistant: (scope, id) => findAssistantToRun(tx, scope, id),
    insertWithThread: (run) => insertRunWithThread(tx, run),
    takeTurn: turnsInStock(tx, runs),
  };
}

/**
 * Returns the method `takeTurn` for a transaction that creates up to `most` runs. The runs of one request usually have the same queue key.
 * To save statements, each statement therefore reserves more turns than are needed now, and twice as many as the statement before.
 */
function turnsInStock(tx: Db, most: number): RunWriter["takeTurn"] {
  const stock = new Map<string, Turns & { left: number }>();
  let ahead = 1;
  let taken = 0;
  return async (key, graphId, isNewWork) => {
    const of = JSON.stringify([key, graphId]);
    let turns = stock.get(of);
    if (!turns?.left) {
      const amount = Math.max(1, Math.min(ahead, most - taken));
      ahead *= 2;
      const [fresh] = await takeTurns(tx, [{ key, graphId, amount }]);
      turns = { ...(fresh as Turns), left: amount };
      stock.set(of, turns);
    }
    const { first, step, isBounded } = turns;
    if (isBounded && isNewWork) await refuseFullQueue(tx, key, graphId);
    Object.assign(turns, { first: first + step, left: turns.left - 1 });
    taken += 1;
    return first;
  };
}

/** Returns a writer that many requests share. One statement writes for all requests that arrive at the same time. */
export function sharedRunWriter(db: Db): RunWriter {
  const alone = runWriterOf(db);
  const find = batched((ids: string[]) => findAssistantsToRun(db, ids));
  const take = batched((turns: TakenTurns[]) => takeTurns(db, turns));
  const insert = batched((runs: RunWithThread[]) => insertRunsWithThreads(db, runs));
  return {
    findAssistant: (scope, id) => (scope === everything ? find(id) : alone.findAssistant(scope, id)),
    insertWithThread: (run) => (JSON.stringify(run.kwargs).length > largeDocument ? alone.insertWithThread(run) : insert(run)),
    async takeTurn(key, graphId, isNewWork) {
      const { first, isBounded } = await take({ key, graphId, amount: 1 });
      if (isBounded && isNewWork) await refuseFullQueue(db, key, graphId);
      return first;
    },
  };
}
