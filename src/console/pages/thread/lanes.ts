import { idOf, parentOf, type State } from "./data.ts";

/** Where a checkpoint is drawn among the branches, and which lines pass its row. */
export interface Place {
  lane: number;
  /** The lanes whose lines enter the row from above. */
  above: number[];
  /** The lanes whose lines leave the row below. */
  below: number[];
  /** The lanes of later branches that end here, because this checkpoint is their parent. */
  joins: number[];
  /** True if more than one checkpoint follows this one. */
  isFork: boolean;
}

/**
 * Gives each checkpoint a lane. The list goes from the newest to the oldest, so a lane waits for the parent of its last checkpoint. If
 * several lanes wait for the same parent, it takes the first one, and the others join there.
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

/** Returns the newest checkpoint of each branch. */
export function tipsOf(states: State[]): State[] {
  const parents = new Set(states.map(parentOf));
  return states.filter((state) => !parents.has(idOf(state)));
}
