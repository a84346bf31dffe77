import type { LedgerEntry } from "../kit/ledger.ts";

/** What the scenarios of a segment know of each other while they are at work. */
export interface SideBySide {
  /** When this process began to work on the segment: what stood still before is nobody's delay. */
  since: number;
  /** When the first of them came to where they meet. */
  firstArrival?: number;
  /** What all of them have spent on the segment. */
  ledger: LedgerEntry[];
  /** Whose spending before this process is among it. */
  counted: Set<string>;
}

const mostSegments = 1_000;

/**
 * It is known only in the process that works on the segment, which is all it is needed for: how long the others have waited, and what
 * they have spent meanwhile. What a crash forgets, the segment's own limit and its ledger make good. A segment is forgotten when it has
 * been joined, and one that was cancelled when many others have come after it.
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

/** What was stored before a crash or a cancel counts as well, once. */
export function countStored(others: SideBySide, scenario: string, stored: LedgerEntry[]): void {
  if (others.counted.has(scenario)) return;
  others.counted.add(scenario);
  others.ledger.push(...stored);
}

export const forgetSegment = (key: string): void => void segments.delete(key);
