import { idOf, parentOf, type State } from "./data.ts";

/** The lane in which a checkpoint is drawn, and the lines that pass through its row. Each branch has a lane. */
export interface Place {
  lane: number;
  /** The lanes whose lines enter the row from the row above. */
  above: number[];
  /** The lanes whose lines leave the row to the row below. */
  below: number[];
  /** The lanes of newer branches that end in this row, because this checkpoint is their parent. */
  joins: number[];
  /** True if more than one checkpoint has this checkpoint as its parent. */
  isFork: boolean;
}

/**
 * Gives each checkpoint a lane. The list goes from the newest checkpoint to the oldest, so a lane continues at the parent of its last
 * checkpoint. If a checkpoint is that parent for several lanes, it gets the first of these lanes, and the other lanes end in its row.
 */
export function placesOf(states: State[]): Place[] {
  const waiting: (string | undefined)[] = [];
  const active = () => waiting.flatMap((id, lane) => (id === undefined ? [] : [lane]));
  return states.map((state) => {
    const above = active();
    const waiters = above.filter((lane) => waiting[lane] === idOf(state));
    const free = waiting.indexOf(undefined);
    const lane = waiters[0] ?? (free >= 0 ? free : waiting.length);
    for (const waiter of waiters) waiting[waiter] = undefined;
    waiting[lane] = parentOf(state);
    return { lane, above, below: active(), joins: waiters.slice(1), isFork: waiters.length > 1 };
  });
}

/** Returns the newest checkpoint of each branch, which is a checkpoint without children. */
export function tipsOf(states: State[]): State[] {
  const parents = new Set(states.map(parentOf));
  return states.filter((state) => !parents.has(idOf(state)));
}
