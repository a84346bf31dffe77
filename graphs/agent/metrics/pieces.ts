import type { LedgerEntry } from "../ledger.ts";
import type { Piece } from "./run-metrics.ts";

/**
 * Returns the calls of a pattern in which each call needs the one before. Calls that an agent makes as part of its own call, such as those
 * of another agent as a tool, count only with the time in which no earlier call was open.
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

/** Returns work that was done in stages. Each piece needs all pieces of the stage before. `stages` are in the order of the work. */
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
