import { isSame } from "../conditions.ts";
import type { ChoreographyValues, Conflict, Mark, Settlement, Write } from "./state.ts";

/** The rule that decides between several values that were written to one key at the same time. */
export type ConflictRule = "confidence" | "arbitration" | "last";

/** The values of a board, and the last change of each key. */
export interface Board {
  values: Record<string, unknown>;
  marks: Record<string, Mark>;
}

interface Settled {
  /** The writes to apply, in the order in which they are applied. */
  writes: Write[];
  settlements: Settlement[];
  /** The conflicts that only the judge can decide. */
  conflicts: Conflict[];
}

/**
 * Decides which writes of parallel listeners are applied to the board. A write that repeats the present value of its key is dropped. If
 * different values are left for a key, the writes are in conflict. They are also in conflict if a writer had read an older version of the
 * key. `rule` decides a conflict.
 */
export function settleWrites(all: Write[], board: Board, rule: ConflictRule): Settled {
  const settled: Settled = { writes: [], settlements: [], conflicts: [] };
  for (const [key, writes] of Map.groupBy(all, (write) => write.key)) {
    const mark = board.marks[key];
    const changed = writes.filter(({ value }) => !mark || !isSame(value, board.values[key]));
    const [first, ...others] = changed;
    if (!first) continue;
    const isStale = mark !== undefined && changed.some(({ version }) => version !== mark.version);
    if (!isStale && others.every(({ value }) => isSame(value, first.value))) settled.writes.push(first);
    else settle({ key, writes: isStale ? [{ key, value: board.values[key], ...mark, causedBy: [] }, ...changed] : changed }, rule, settled);
  }
  return settled;
}

function settle(conflict: Conflict, rule: ConflictRule, settled: Settled): void {
  const { writes } = conflict;
  if (rule === "arbitration") return void settled.conflicts.push(conflict);
  const byConfidence = writes.toSorted((one, other) => other.confidence - one.confidence);
  const [first, second] = byConfidence;
  if (rule === "confidence" && first && first.confidence === second?.confidence) return void settled.conflicts.push(conflict);
  const winner = rule === "last" ? writes.at(-1) : first;
  if (!winner) return;
  settled.settlements.push(settlementOf(conflict, rule, winner.by, rule === "last" ? "The last write holds." : "It is the surest."));
  settled.writes.push(...(rule === "last" ? writes.filter(({ causedBy }) => causedBy.length > 0) : isPresent(winner) ? [] : [winner]));
}

/** Tells whether an entry in a conflict is not a new write but the value that is already on the board. Only such an entry has no cause. */
export const isPresent = ({ causedBy }: Write): boolean => causedBy.length === 0;

export function settlementOf({ key, writes }: Conflict, by: ConflictRule, winner: string, reason: string): Settlement {
  const views = writes.map(({ by, value, confidence }) => ({ by, value, confidence }));
  const chosen = views.find((view) => view.by === winner) as (typeof views)[number];
  return { key, by, winner: chosen, losers: views.filter((view) => view !== chosen), reason };
}

/** Returns the board according to the event log. Values that a caller wrote from outside the run are not included. */
export const boardOf = ({ marks = {}, events }: ChoreographyValues): Board => ({
  marks: { ...marks },
  values: Object.fromEntries(Object.entries(marks).map(([key, { seq }]) => [key, events[seq - 1]?.payload])),
});

/**
 * Returns the values that a caller wrote to the board from outside the run. They are returned as writes, because they must still be added
 * to the event log.
 */
export const writesFromOutside = ({ board = {} }: ChoreographyValues, { values, marks }: Board): Write[] =>
  Object.entries(board)
    .filter(([key, value]) => !marks[key] || !isSame(value, values[key]))
    .map(([key, value]) => ({ key, value, by: "outside", confidence: 1, version: marks[key]?.version ?? 0, causedBy: [1] }));

/** Applies a write to the board. `seq` is the number of the event that reports this write. */
export function write({ values, marks }: Board, { key, value, by, confidence }: Write, seq: number): void {
  values[key] = value;
  marks[key] = { version: (marks[key]?.version ?? 0) + 1, by, confidence, seq };
}
