import type { LedgerEntry } from "../ledger.ts";
import type { Piece } from "./run-metrics.ts";

/**
 * Returns the calls of a pattern as a chain of pieces of work. Each piece depends on the previous one. Two calls overlap, for example, if
 * an agent calls another agent as a tool. The time that they share then counts only for the call that began first.
 */
export function inSequence(ledger: LedgerEntry[]): Piece[] {
  const calls = ledger
    .filter(({ cached }) => !cached)
    .map(({ at, elapsedMs }) => ({ from: Date.parse(at), to: Date.parse(at) + elapsedMs }));
  let open = Number.NEGATIVE_INFINITY;
  return calls
    .toSorted((one, other) => one.from - other.from)
    .map(({ from, to }, index) => {
      const startedAt = Math.max(from, Math.min(open, to));
      open = Math.max(open, to);
      return { id: String(index), needs: index === 0 ? [] : [String(index - 1)], span: { startedAt, endedAt: to } };
    });
}

/**
 * Returns the pieces of work of all stages. Each piece depends on all pieces of the previous stage. `stages` are in the order in which they
 * were done.
 */
export const inStages = (stages: Piece["span"][][]): Piece[] =>
  stages
    .filter((stage) => stage.length > 0)
    .flatMap((stage, nth, all) =>
      stage.map((span, index) => ({
        id: `${nth}.${index}`,
        needs: nth === 0 ? [] : (all[nth - 1] ?? []).map((_, before) => `${nth - 1}.${before}`),
        span,
      })),
    );
