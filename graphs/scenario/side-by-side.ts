import type { LedgerEntry } from "../kit/ledger.ts";

/** The facts that the scenarios of a segment share while they work. */
export interface SideBySide {
  /** When this process began to work on the segment. Earlier idle time is nobody's delay. */
  since: number;
  /** When the first of them reached the meeting point. */
  firstArrival?: number;
  /** The ledger entries of all of them on the segment. */
  ledger: LedgerEntry[];
  /** The scenarios whose earlier entries are already included. */
  counted: Set<string>;
}

const mostSegments = 1_000;

/**
 * Returns the shared facts of a segment. Only the process that works on it needs them: how long the others have waited, and what they
 * have spent. After a crash, the segment's time limit and its ledger replace them. A segment is removed when its scenarios have met. A
 * cancelled one is removed after many later ones.
 */
const segments = new Map<string, SideBySide>();

export const segmentKey = (runId: string, segment: number) => `${runId}/${segment}`;

export function besides(key: string): SideBySide {
  const known = segments.get(key);
  if (known) return known;
  const [oldest] = segments.keys();
  if (oldest !== undefined && segments.size >= mostSegments) segments.delete(oldest);
  const fresh: SideBySide = { since: Date.now(), ledger: [], counted: new Set() };
  segments.set(key, fresh);
  return fresh;
}

/** Counts entries that were stored before a crash or a cancel, once per scenario. */
export function countStored(others: SideBySide, scenario: string, stored: LedgerEntry[]): void {
  if (others.counted.has(scenario)) return;
  others.counted.add(scenario);
  others.ledger.push(...stored);
}

export const forgetSegment = (key: string): void => void segments.delete(key);
