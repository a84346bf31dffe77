import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { LedgerEntry } from "../agent/ledger.ts";

/** The facts that the scenarios of a segment share while they work. */
export interface SideBySide {
  /** When this process began to work on the segment. Earlier idle time is nobody's delay. */
  since: number;
  /** Memory of the process at that time. */
  baselineMb: number;
  /** When the first of them reached the meeting point. */
  firstArrival?: number;
  /** The ledger entries of all of them on the segment. */
  ledger: LedgerEntry[];
  /** The scenarios whose earlier entries are already included. */
  counted: Set<string>;
}

/** The values that all scenarios of a run share. */
interface Shared {
  segments: Map<number, SideBySide>;
  /** Waits for one of the places for calls of models, then works. */
  turn?: ReturnType<typeof placesFor>;
}

/**
 * The shared facts of each run, by an object that LangGraph keeps for one execution of it. Only the process that works on a run needs
 * them, and they go when the execution ends. After a crash, the segment's time limit and its ledger replace them.
 */
const runs = new WeakMap<object, Shared>();

function sharedOf({ control }: LangGraphRunnableConfig): Shared {
  const known = control && runs.get(control);
  if (known) return known;
  const fresh: Shared = { segments: new Map() };
  if (control) runs.set(control, fresh);
  return fresh;
}

export const usedMb = () => Math.round(process.memoryUsage.rss() / 2 ** 20);

export function besides(segment: number, config: LangGraphRunnableConfig): SideBySide {
  const { segments } = sharedOf(config);
  const known = segments.get(segment);
  if (known) return known;
  const fresh: SideBySide = { since: Date.now(), baselineMb: usedMb(), ledger: [], counted: new Set() };
  segments.set(segment, fresh);
  return fresh;
}

/** Forgets a segment whose scenarios have met. A later one may have its number, after all scenarios began anew. */
export const forgetSegment = (segment: number, config: LangGraphRunnableConfig): void => void sharedOf(config).segments.delete(segment);

/** Counts entries that were stored before a crash or a cancel, once per scenario. */
export function countStored(others: SideBySide, scenario: string, stored: LedgerEntry[]): void {
  if (others.counted.has(scenario)) return;
  others.counted.add(scenario);
  others.ledger.push(...stored);
}

/** Returns the run's places for calls of models. All of its scenarios share them. */
export function placesOf(config: LangGraphRunnableConfig, count: number) {
  const shared = sharedOf(config);
  shared.turn ??= placesFor(count);
  return shared.turn;
}

function placesFor(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async <Done>(work: () => Promise<Done>, signal: AbortSignal): Promise<Done> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      leave();
    }
  };
}
