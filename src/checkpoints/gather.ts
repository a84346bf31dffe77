import { setImmediate as nextTurn } from "node:timers/promises";
import { type CheckpointRows, isAlike, joinRows } from "./rows.ts";

interface Asked {
  rows: CheckpointRows;
  done: PromiseWithResolvers<boolean>;
}

/** Stores in one statement what is asked for in one turn of the event loop: the writes of a step, and the checkpoint behind them. */
export function gatherRows(store: (rows: CheckpointRows) => Promise<boolean>): (rows: CheckpointRows) => Promise<boolean> {
  let asked: Asked[] = [];
  let isStoring = false;

  async function storeAll(): Promise<void> {
    isStoring = true;
    await nextTurn();
    while (asked.length > 0) {
      const together = asked;
      asked = [];
      const stored = await store(joinRows(together.map(({ rows }) => rows))).catch((error: Error) => error);
      if (stored instanceof Error && together.length > 1) await storeApart(together);
      else for (const { done } of together) settle(done, stored);
    }
    isStoring = false;
  }

  /** What the database does not take spoils only itself. */
  async function storeApart(together: Asked[]): Promise<void> {
    for (const { rows, done } of together) settle(done, await store(rows).catch((error: Error) => error));
  }

  return (rows) => {
    if (!isAlike(rows)) return store(rows); // large values take the server long: they go at once, each by itself
    const done = Promise.withResolvers<boolean>();
    asked.push({ rows, done });
    if (!isStoring) void storeAll();
    return done.promise;
  };
}

function settle(done: Asked["done"], stored: boolean | Error): void {
  if (stored instanceof Error) done.reject(stored);
  else done.resolve(stored);
}
